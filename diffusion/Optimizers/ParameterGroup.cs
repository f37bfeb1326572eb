namespace Sdxl.Diffusion.Optimizers;

/// <summary>Tensors that share a learning rate and a weight decay.</summary>
/// <param name="name">Prefix of the group's state in checkpoints.</param>
/// <param name="parameters">What trains.</param>
/// <param name="weightDecay">Decoupled weight decay: part of a value that is taken off per unit of learning rate.</param>
public sealed class ParameterGroup(string name, FlatParameters parameters, double weightDecay)
{
    public string Name { get; } = name;
    public FlatParameters Parameters { get; } = parameters;
    public double WeightDecay { get; } = weightDecay;

    /// <summary>Learning rate of the next step, set by the schedule.</summary>
    public double Rate { get; set; }

    /// <summary>True from the pivot on: the group is left as it is, moments and decay included.</summary>
    public bool Frozen { get; private set; }

    public void Freeze()
    {
        if (Frozen)
            return;
        Frozen = true;
        Parameters.Freeze();
    }
}
