using Dreambooth.Lab.Kernel.Engine;

namespace Dreambooth.Lab.Tests.Kernel.Engine;

/// <summary>Cells mean the same after the chain of submissions was shortened, once and again.</summary>
[Trait("Category", "Kernel")]
public sealed class ChainSummaryTests
{
    private readonly CellEngine _engine = new([]);

    [Theory]
    // Variables: read, assigned, passed by reference, changed inside, awaited, hidden.
    [InlineData("var x = 3;", "x = x + 1;", "x", 4)]
    [InlineData("int n;", "int.TryParse(\"7\", out n); n++;", "n", 8)]
    [InlineData("(int A, string B) t = (1, \"b\");", "t.A = 5;", "t.A + t.B", "5b")]
    [InlineData("var w = 1;", "w = await Task.FromResult(w + 5);", "w", 6)]
    [InlineData("var h = 1;\nvar h2 = h;", "var h = \"text\";", "h + h2", "text1")]
    [InlineData("dynamic d = 2;", "d = \"two\";", "(string)d", "two")]
    [InlineData("int? maybe = null; string @class = \"c\";", "maybe = 2;", "maybe + @class", "2c")]
    [InlineData("readonly int fix = 9;", "var y = fix;", "y + fix", 18)]
    [InlineData("const int Many = 3; const string Few = \"f\";", "const int More = Many + 1;", "Few + More", "f4")]
    [InlineData("static int s = 2;", "s += 3;", "s", 5)]
    // Variables that functions, lambdas and queries use are one with theirs.
    [InlineData("var a = 1; int Get() => a; void Set(int v) { a = v; }", "a = 5; var got = Get(); Set(got + 1);", "a", 6)]
    [InlineData("var b = 1; Func<int> read = () => b;", "b = await Task.FromResult(8);", "read() + b", 16)]
    [InlineData("var c = 1; Action more = () => c++;", "int.TryParse(\"4\", out c); more();", "c", 5)]
    [InlineData(
        "var e = 2; Func<int> keep = () => e;", "System.Linq.Expressions.Expression<Func<int>> tree = () => e * 10;",
        "tree.Compile()() + keep()", 22)]
    [InlineData("var limit = 1; var big = from i in new[] { 1, 2, 3 } where i > limit select i;", "limit = 2;", "big.Sum()", 3)]
    // Functions: overloads, generics, defaults, references, extension methods, iterators.
    [InlineData("int F(int n) => n; string F(string s, int k = 2) => s + k;", "int F(int n) => n + 1;", "F(1) + F(\"s\")", "2s2")]
    [InlineData("T Same<T>(T v, params T[] more) where T : class => more.Length > 0 ? more[^1] : v;", "", "Same(\"a\", \"b\")", "b")]
    [InlineData("static int Twice(this int n) => 2 * n;", "", "4.Twice()", 8)]
    [InlineData("int[] data = [1, 2]; ref int At(int i) => ref data[i];", "At(1) = 9;", "data[1]", 9)]
    [InlineData("void Out(in int a, out int b) => b = a + 1;", "Out(3, out var got);", "got", 4)]
    [InlineData("IEnumerable<int> Count() { for (var i = 0; i < 3; i++) yield return i; }", "", "Count().Sum()", 3)]
    [InlineData("int P { get; set; } = 2;", "P += 2;", "P", 4)]
    // Types: hidden ones whose values live on, generic, nested in signatures, anonymous.
    [InlineData("record R(int V); var r = new R(1);", "record R(string W); var r2 = new R(\"x\");", "r.V + r2.W", "1x")]
    [InlineData(
        "class Box<T> { public T V; } class Box { } var box = new Box<int> { V = 3 };", "Box<int> other = box;",
        "other.V + new Box<int> { V = 1 }.V", 4)]
    [InlineData("enum Kind { A, B } Kind Next(Kind k = Kind.A) => k + 1;", "var kind = Next();", "kind == Kind.B", true)]
    [InlineData(
        "interface I { int V { get; } } class C : I { public int V => 3; } I made = new C();", "class D : C { }", "new D().V + made.V", 6)]
    [InlineData("var anon = new { A = 1, B = new { C = \"c\" } };", "var list = new[] { anon }.ToList();", "list[0].B.C + anon.A", "c1")]
    // Usings, also an alias and one of a cell's own type.
    [InlineData(
        "using System.IO;\nusing Text = System.Text.StringBuilder;", "using static System.Math;",
        "Path.GetFileName(\"a/b\") + new Text(\"t\") + Abs(-1)", "bt1")]
    [InlineData("record Item(int V);", "using Items = System.Collections.Generic.List<Item>;", "new Items { new(5) }[0].V", 5)]
    public void ShortenChain_BetweenCells_ChangesNothingForThem(string first, string second, string last, object expected)
    {
        Run(first);
        Shorten();
        Shorten();
        Run(second);
        Assert.Equal(expected, Run(last));
        Shorten();
        Assert.Equal(expected, Run(last));
    }

    [Fact]
    public void ShortenChain_VariableThatAnEarlierRunOfACellStillUses_IsOneWithIt()
    {
        Run("var stop = false;");
        Run("var hold = new List<Func<bool>>();\nhold.Add(() => stop);", "watch");
        Run("var watching = hold;\nvar hold2 = 1;", "watch");
        Shorten();
        Run("stop = true;");
        Assert.Equal(true, Run("watching[0]()"));
    }

    [Fact]
    public void ShortenChain_VariableDeclaredAnewAfterwards_LetsGoOfTheOldValue()
    {
        Run("var big = new byte[1000];", "a");
        Shorten();
        var old = Track("big");
        Run("var big = new byte[1000];", "a");
        Assert.False(IsAlive(old));
    }

    [Fact]
    public void ShortenChain_EventThatCannotBeSummarised_LeavesTheChainAndItsMeaning()
    {
        Run("event Action Happened; var n = 0; void Raise() => Happened?.Invoke();");
        Assert.False(_engine.ShortenChain());
        Run("Happened += () => n++;\nRaise();");
        Assert.Equal(1, Run("n"));
    }

    [Fact]
    public void Execute_ManyDeclaringCells_KeepsFewCompilations()
    {
        Run("var first = 1;");
        var old = FirstCompilation();
        for (var i = 0; i < 150; i++)
        {
            Run($"var x = {i};\nvar y{i} = x;");
            _engine.ShortenChainWhenLong();
            Assert.InRange(Chain(), 1, 70);
        }

        Assert.False(IsAlive(old));
        Assert.Equal(149 + 100 + 1, Run("x + y100 + first"));
    }

    [Fact]
    public void Execute_ManyPartsWithoutARest_KeepsFewCompilations()
    {
        for (var i = 0; i < 100; i++)
            Run($"var x = {i};");
        Assert.InRange(Chain(), 1, 70);
        Assert.Equal(99, Run("x"));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private WeakReference FirstCompilation() => new(_engine.Compiler.Previous);

    private int Chain()
    {
        var length = 0;
        for (var c = _engine.Compiler.Previous; c is not null; c = c.ScriptCompilationInfo!.PreviousScriptCompilation)
            length++;
        return length;
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private WeakReference Track(string name) => new(Value(name));

    private object? Value(string name) => _engine.Variables.Single(v => v.Name == name).Value;

    private void Shorten() => Assert.True(_engine.ShortenChain());

    private object? Run(string code, string? key = null)
    {
        using var run = new CellRun(null);
        return _engine.Execute(code, "In[1]", key ?? code, run).Value;
    }

    private static bool IsAlive(WeakReference reference)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return reference.IsAlive;
    }
}
