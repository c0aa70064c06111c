using System.CommandLine;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Cli;

/// <summary><c>prompts</c>: looks through prompt files and makes them.</summary>
internal static class PromptsVerb
{
    private const int PublishedClipWindow = 77;
    private const string All = "all";

    public static Command Create(Session session) => new("prompts", "Prompt files: look through one, or make one for any subject.")
    {
        Lint(session),
        Expand(session),
    };

    private static Command Lint(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A text file with one prompt per line." };
        var identifier = new Option<string?>("--identifier") { HelpName = "WORD", Description = "The word that every prompt must have." };
        var model = new Option<string?>("--model")
        {
            HelpName = "FOLDER",
            Description = "A model folder, whose tokenizers count; without it the published ones, from --tokenizers or LAB_TOKENIZERS.",
        };
        var tokenizers = new Option<string?>("--tokenizers")
        {
            HelpName = "FOLDER",
            Description = "Folder with clip/ and t5/ tokenizer files.",
        };
        var length = new Option<int?>("--max_sequence_length")
        {
            HelpName = "N",
            Description = "Tokens that T5 reads, 1 to 512. Default: 256.",
        };
        var verb = new Command(
            "lint",
            "Tells prompts that an encoder cuts, that lack the identifier, that come twice, or that have weights. Exit status 1 if any.")
        {
            file, identifier, model, tokenizers, length,
        };
        verb.SetAction(result =>
        {
            var path = result.GetValue(file)!;
            var text = TextFile.Read(path, "The prompt file");
            var prompts = PromptList.Parse(text, path);
            if (result.GetValue(length) is < 1 or > 512)
                throw new UsageException($"max_sequence_length is {result.GetValue(length)}; 1 to 512 is valid.");
            var readers = Readers(session, result.GetValue(model), result.GetValue(tokenizers), result.GetValue(length));
            var lint = new PromptLint { Identifier = result.GetValue(identifier), Readers = readers };
            var findings = lint.Check(text);
            foreach (var finding in findings)
                session.Output.WriteLine($"{path}:{finding.Line}: {finding.Text}");
            var windows = readers.Count == 0 ? "lengths were not looked at"
                : string.Join(", ", readers.Select(reader => $"{reader.Name} reads {reader.Window} tokens"));
            session.Output.WriteLine(
                $"{prompts.Count} prompt{(prompts.Count == 1 ? string.Empty : "s")}, {findings.Count} "
                + $"finding{(findings.Count == 1 ? string.Empty : "s")}; {windows}"
                + (lint.Identifier is null ? "; no --identifier was looked for" : string.Empty));
            return findings.Count == 0 ? ExitCode.Success : ExitCode.Failure;
        });
        return verb;
    }

    private static List<(string Name, ITextTokenizer Tokenizer, int Window)> Readers(
        Session session, string? model, string? tokenizers, int? length)
    {
        var files = new TokenizerFiles(tokenizers);
        var t5Window = length ?? PromptEncoder.DefaultMaxSequenceLength;
        if (model is not null)
        {
            var clip = TokenizerLoader.Load(Path.Combine(model, "tokenizer"), files);
            List<(string, ITextTokenizer, int)> found = [("CLIP", clip, Math.Min(PublishedClipWindow, clip.ModelMaxLength))];
            var t5Folder = Path.Combine(model, "tokenizer_3");
            if (!Directory.Exists(t5Folder))
                return found;
            var t5 = TokenizerLoader.Load(t5Folder, files);
            found.Add(("T5", t5, Math.Min(t5Window, t5.ModelMaxLength)));
            return found;
        }

        if (tokenizers is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(TokenizerFiles.Variable)))
        {
            session.Warn($"Lengths are not looked at: name tokenizers by --model, --tokenizers or {TokenizerFiles.Variable}.");
            return [];
        }

        return
        [
            ("CLIP", TokenizerLoader.Load(PublishedTokenizers.Clip("tokenizer"), files), PublishedClipWindow),
            ("T5", TokenizerLoader.Load(PublishedTokenizers.T5("tokenizer_3"), files), t5Window),
        ];
    }

    private static Command Expand(Session session)
    {
        var subject = new Option<string>("--subject")
        {
            HelpName = "TEXT",
            Required = true,
            Description = "Identifier and class, as \"gmc cat\".",
        };
        var lists = Several("--list", "NAME", $"The tutorial's lists: {string.Join(", ", PromptExpansion.Lists)}, or {All}.");
        var miniature = new Option<bool>("--miniature") { Description = "Take the lists in the miniature's vocabulary." };
        var dreambooth = new Option<string?>("--dreambooth")
        {
            HelpName = "FOLDER",
            Description = "DreamBooth's own list for the subject's class, from its data set's prompts_and_classes.txt: that for live "
                + "subjects where it is cat or dog, else that for objects.",
        };
        var live = new Option<bool>("--live") { Description = "With --dreambooth: the list for live subjects, whatever the class." };
        var templates = Several("--template", "TEXT", "Prompts with {subject}, {attribute} and {style}.");
        var attributes = Several("--attributes", "TEXT", "What stands for {attribute}, as red \"very old\".");
        var styles = Several("--styles", "TEXT", "What stands for {style}, as \"an oil painting\" \"a photo\".");
        var output = new Option<string?>("--output", "-o")
        {
            HelpName = "FILE",
            Description = "The file to write; without it the prompts are printed.",
        };
        var verb = new Command("expand", "Makes prompts for a subject: the tutorial's lists, DreamBooth's, or attributes × styles.")
        {
            subject, lists, miniature, dreambooth, live, templates, attributes, styles, output,
        };
        verb.SetAction(result =>
        {
            string[] Given(Option<string[]> option) => result.GetValue(option) ?? [];
            var named = result.GetValue(subject)!;
            if (string.IsNullOrWhiteSpace(named))
                throw new UsageException("--subject is empty; it must name the subject, as \"gmc cat\".");
            var prompts = ListsOf(Given(lists)).SelectMany(list => PromptExpansion.OfList(
                list, named, result.GetValue(miniature) ? PromptList.MiniatureFolder : PromptList.Folder)).ToList();
            if (result.GetValue(dreambooth) is { } dataSet)
            {
                prompts.AddRange(PromptExpansion.OfTemplates(
                    DreamBenchDataset.TemplatesFor(dataSet, PromptExpansion.ClassOf(named), result.GetValue(live)), named));
            }

            if (prompts.Count == 0 || Given(templates).Length + Given(attributes).Length + Given(styles).Length > 0)
                prompts.AddRange(PromptExpansion.Grid(Given(templates), named, Given(attributes), Given(styles)));
            Write(session, [.. prompts.Distinct()], result.GetValue(output));
            return ExitCode.Success;
        });
        return verb;
    }

    private static void Write(Session session, IReadOnlyList<string> prompts, string? path)
    {
        if (path is null)
        {
            foreach (var prompt in prompts)
                session.Output.WriteLine(prompt);
            return;
        }

        AtomicFile.WriteAllText(path, string.Concat(prompts.Select(prompt => prompt + "\n")));
        session.Output.WriteLine($"{prompts.Count} prompt{(prompts.Count == 1 ? string.Empty : "s")} in {path}");
    }

    private static IEnumerable<string> ListsOf(string[] names)
    {
        if (names.Contains(All))
            return PromptExpansion.Lists;
        return names.FirstOrDefault(name => !PromptExpansion.Lists.Contains(name)) is { } unknown
            ? throw new UsageException(
                $"There is no list '{ShownText.Line(unknown)}'; there are {string.Join(", ", PromptExpansion.Lists)} and {All}.")
            : names;
    }

    private static Option<string[]> Several(string name, string placeholder, string help) =>
        new(name) { HelpName = placeholder, AllowMultipleArgumentsPerToken = true, Description = help };
}
