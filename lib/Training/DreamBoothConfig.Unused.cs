using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>Flags of the reference script without effect here.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>Flags of the reference script that are accepted, so that existing command lines carry over, but not acted on.</summary>
    public static UnusedFlags UnusedFlags { get; } = new(
        new Dictionary<string, string>
        {
            ["cache_dir"] = "HF_HUB_CACHE says where downloads are kept",
            ["dataset_name"] = "pictures are read from instance_data_dir",
            ["dataset_config_name"] = "pictures are read from instance_data_dir",
            ["dataloader_num_workers"] = "pictures are read ahead by the lab itself",
            ["push_to_hub"] = "the LoRA stays in output_dir; hub upload uploads it",
            ["hub_token"] = "the token comes from HF_TOKEN or hub login, so that it stands in no command line and no recipe",
            ["hub_model_id"] = "the LoRA stays in output_dir; hub upload uploads it",
            ["allow_tf32"] = "the precision of matrix products is left as libtorch has it",
            ["upcast_before_saving"] = "the LoRA is saved as it was trained",
            ["prior_generation_precision"] = "class pictures are made in the precision of training",
            ["local_rank"] = "training runs in one process",
        },
        switches: ["push_to_hub", "allow_tf32", "upcast_before_saving"]);
}
