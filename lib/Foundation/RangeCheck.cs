using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Collects which fields of a configuration file are out of range, so that one message names them all.</summary>
/// <param name="source">The file.</param>
internal sealed class RangeCheck(string source)
{
    private readonly List<string> _errors = [];

    /// <summary>Checks a whole number.</summary>
    /// <param name="field">Its key.</param>
    /// <param name="value">The value.</param>
    /// <param name="least">The smallest that is valid.</param>
    /// <param name="most">The largest that is valid.</param>
    public RangeCheck Whole(string field, long value, long least, long most)
    {
        if (value < least || value > most)
            _errors.Add(
                string.Create(CultureInfo.InvariantCulture, $"{field} is {value}; valid is a whole number from {least} to {most}."));
        return this;
    }

    /// <summary>Checks each number of a list.</summary>
    /// <param name="field">The list's key.</param>
    /// <param name="values">The value.</param>
    /// <param name="least">The smallest that is valid.</param>
    /// <param name="most">The largest that is valid.</param>
    public RangeCheck Each(string field, IReadOnlyList<int> values, long least, long most)
    {
        for (var i = 0; i < values.Count; i++)
            Whole(JsonField.Item(field, i), values[i], least, most);
        return this;
    }

    /// <summary>Checks a number that must be finite and above a bound.</summary>
    /// <param name="field">Its key.</param>
    /// <param name="value">The value.</param>
    /// <param name="above">What it must exceed.</param>
    public RangeCheck Above(string field, double value, double above)
    {
        if (!double.IsFinite(value) || value <= above)
            _errors.Add(string.Create(CultureInfo.InvariantCulture, $"{field} is {value}; valid is a finite number above {above}."));
        return this;
    }

    /// <summary>Adds a sentence where something does not hold.</summary>
    /// <param name="holds">Whether it holds.</param>
    /// <param name="error">What is wrong and what would be right.</param>
    public RangeCheck Holds(bool holds, string error)
    {
        if (!holds)
            _errors.Add(error);
        return this;
    }

    /// <summary>Throws where something was wrong.</summary>
    /// <exception cref="LabException">All of it.</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new LabException($"{source}: {string.Join(" ", _errors)}");
    }
}
