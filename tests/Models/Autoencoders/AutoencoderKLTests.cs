using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Autoencoders;

[Trait("Category", "Parity")]
public sealed class AutoencoderKLTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Pictures => GoldenSet.KeyCases("vae", @"^(?<case>\w+)\.decode_in$");

    public static TheoryData<GoldenCase> Small => GoldenSet.KeyCases("vae", @"^(?<case>\w+)\.decode_of_mean$");

    [Theory]
    [MemberData(nameof(Pictures))]
    public void EncodeAndDecode_GoldenInputs_EqualTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = Load(golden);
        GoldenAssert.Close(golden.Load("moments"), model.EncodeMoments(golden.Load("image").Here()), Tolerance, "moments");
        using var latents = model.Encode(golden.Load("image").Here());
        GoldenAssert.Close(golden.Load("mean"), latents.Mean, Tolerance, "mean");
        GoldenAssert.Close(golden.Load("logvar"), latents.LogVariance, Tolerance, "logvar");
        var sample = latents.Sample(golden.Load("eps").Here());
        GoldenAssert.Close(golden.Load("sample"), sample, Tolerance, "sample");
        GoldenAssert.Close(golden.Load("latents"), model.ScaleLatents(sample), Tolerance, "latents");
        GoldenAssert.Close(sample, model.UnscaleLatents(model.ScaleLatents(sample)), Tolerance, "unscaled latents");
        GoldenAssert.Close(golden.Load("decode_out"), model.Decode(golden.Load("decode_in").Here()), Tolerance, "decode_out");
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void Decode_OfTheMean_EqualsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = Load(golden);
        using var latents = model.Encode(golden.Load("image").Here());
        GoldenAssert.Close(golden.Load("moments"), model.EncodeMoments(golden.Load("image").Here()), Tolerance, "moments");
        GoldenAssert.Close(golden.Load("decode_of_mean"), model.Decode(latents.Mean), Tolerance, "decode_of_mean");
    }

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Decode_Sliced_EqualsTheWhole(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // libtorch may sum a batch in another order than its rows: some 10 roundings, 1.2e-6 in float32. In float64 the bound of 1e-13
        // leaves room for 100 times as many, and shows what slicing itself would change.
        using var model = Load(golden, ScalarType.Float64);
        var latents = golden.Load("decode_in").to(ScalarType.Float64).Here();
        var whole = model.Decode(latents);
        model.UseSlicing = true;
        GoldenAssert.Close(whole, model.Decode(latents), 1e-13, "sliced");
    }

    private static AutoencoderKL Load(GoldenCase golden, ScalarType dtype = ScalarType.Float32) =>
        AutoencoderKL.Load(Path.Combine(golden.PipelineFolder, "vae"), TestDevice.Device, dtype);
}
