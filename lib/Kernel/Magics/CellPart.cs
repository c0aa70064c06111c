namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>A piece of a cell: C# code, or a line that starts with <c>#!</c>, <c>#r</c>, <c>#i</c> or <c>#load</c>.</summary>
/// <param name="Magic">The magic without <c>#!</c>, or <c>#r</c>, <c>#i</c>, <c>#load</c>; null for C#.</param>
/// <param name="Arguments">What follows the magic on its line.</param>
/// <param name="Text">C#, padded with empty lines so that line numbers are the cell's own; or the text under a language magic.</param>
/// <param name="Line">The first line, from 1.</param>
internal sealed record CellPart(string? Magic, string Arguments, string Text, int Line);
