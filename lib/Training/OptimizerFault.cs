namespace Dreambooth.Lab.Training;

/// <summary>What made a step's parameters infinite or NaN.</summary>
internal enum OptimizerFault
{
    /// <summary>The step is larger than float32 holds.</summary>
    LearningRate,

    /// <summary>The decay's factor, 1 − rate × decay, takes the weights beyond float32.</summary>
    WeightDecay,

    /// <summary>Epsilon is 0 in float32, and a weight without gradient was divided by it.</summary>
    Epsilon,

    /// <summary>The square of a gradient is larger than float32 holds.</summary>
    SquaredGradient,
}
