using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class ProjectFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-project-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_InsideAProject_IsThatProject()
    {
        var inside = Directory.CreateDirectory(Path.Combine(_folder, "notebooks", "deep")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "data", "prompts"));
        Directory.CreateDirectory(Path.Combine(_folder, "data", "recipes"));
        Assert.Equal(_folder, ProjectFolder.Find(inside));
    }

    [Fact]
    public void Find_Elsewhere_IsTheProgramsProject() => Assert.Equal(GoldenSet.RepositoryRoot, ProjectFolder.Find(_folder));

    [Fact]
    public void Resolve_Path_IsTheExistingOneElseTheProjects()
    {
        Assert.Equal(Path.Combine(_folder, "data", "x"), ProjectFolder.Resolve("data/x", _folder));
        Assert.Equal(_folder, ProjectFolder.Resolve(_folder, "/elsewhere"));
    }

    [Fact]
    public void Near_Paths_AreShortInsideTheProjectAndWholeElsewhere()
    {
        Assert.Equal("data/sd3-mini", ProjectFolder.Near(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini")));
        Assert.Equal(_folder, ProjectFolder.Near(_folder));
        var (other, home) = (GoldenSet.RepositoryRoot + "-other", UserFolders.Home + "/");
        Assert.Equal(other.StartsWith(home, StringComparison.Ordinal) ? "~/" + other[home.Length..] : other, ProjectFolder.Near(other));
    }
}
