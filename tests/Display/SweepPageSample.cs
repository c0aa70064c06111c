using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>A folder of pictures with records: prompts × guidance × seeds.</summary>
internal sealed class SweepPageSample : IDisposable
{
    private static readonly double[] _guidances = [1, 4, 7.5, 12];

    public SweepPageSample(IReadOnlyList<string> prompts, int guidances = 2, int seeds = 2)
    {
        for (var prompt = 0; prompt < prompts.Count; prompt++)
        {
            for (var i = 0; i < guidances * seeds; i++)
                Add($"{prompt:D3}_prompt/img_{i:D2}.png", prompts[prompt], _guidances[i / seeds], (ulong)(i % seeds), (prompt * 7) + i);
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("lab-page-").FullName;

    public void Add(string path, string prompt, double guidance, ulong seed, int photo = 0)
    {
        var image = ImageDecoder.Load(Path.Combine(ProjectFolder.Find(), $"data/cat_gmc/gmc_{photo % 24:D3}.png"));
        new PictureRecord { Prompt = prompt, Seed = seed, Guidance = guidance, Steps = 20, Model = "sd3-mini" }
            .Save(Path.Combine(Folder, path), image, inFile: true);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
