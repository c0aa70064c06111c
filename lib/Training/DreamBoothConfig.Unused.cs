using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>Flags of the reference script without effect here.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>Flags of the reference script that are accepted, so that existing command lines carry over, but not acted on.</summary>
    public static UnusedFlags UnusedFlags { get; } = new(
        new Dictionary<string, string>
        {
            ["dataloader_num_workers"] =
                "pictures are decoded before the first step; with augment_each_epoch only crops are encoded in a step",
            ["hub_token"] = "the token comes from HF_TOKEN or hub login, so that it stands in no command line and no recipe",
            ["upcast_before_saving"] = "the LoRA is always saved in 32 bits, which is what the flag asks for",
        },
        switches: ["upcast_before_saving"]);
}
