using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel.Protocol;

[Trait("Category", "Kernel")]
public sealed class MessageCodecTests
{
    private readonly MessageCodec _codec = new("secret");

    [Fact]
    public void Encode_WithKey_SignsTheFourPartsWithHmacSha256()
    {
        var frames = _codec.Encode(Message());
        var expected = HMACSHA256.HashData("secret"u8, [.. frames[3], .. frames[4], .. frames[5], .. frames[6]]);
        Assert.Equal("<IDS|MSG>", Encoding.ASCII.GetString(frames[1]));
        Assert.Equal(Convert.ToHexStringLower(expected), Encoding.ASCII.GetString(frames[2]));
    }

    [Fact]
    public void Decode_OwnMessage_GivesBackWhatWasEncoded()
    {
        var message = new MessageCodec("secret").Decode(_codec.Encode(Message()))!;
        Assert.Equal("execute_request", message.Type);
        Assert.Equal("1 + 1", message.Text("code"));
        Assert.Equal("id"u8.ToArray(), message.Identities.Single());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public void Decode_BadSignature_IsRefusedAndCounted(string signature)
    {
        var frames = _codec.Encode(Message());
        frames[2] = Encoding.ASCII.GetBytes(signature);
        Assert.Null(_codec.Decode(frames));
        Assert.Equal(1, _codec.BadSignatures);
    }

    [Fact]
    public void Decode_ChangedContent_IsRefused()
    {
        var frames = _codec.Encode(Message());
        frames[6] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(frames[6]).Replace('1', '2'));
        Assert.Null(_codec.Decode(frames));
    }

    [Fact]
    public void Decode_SameMessageTwice_SecondIsRefusedAsReplay()
    {
        var frames = _codec.Encode(Message());
        Assert.NotNull(_codec.Decode(frames));
        Assert.Null(_codec.Decode(frames));
        Assert.Equal(1, _codec.Replays);
    }

    [Fact]
    public void Decode_NotAMessage_IsRefusedAndCounted()
    {
        Assert.Null(_codec.Decode([[1, 2, 3]]));
        Assert.Null(_codec.Decode([]));
        var unsigned = new MessageCodec("");
        Assert.Null(
            unsigned.Decode(
                [.. "<IDS|MSG>||not json|{}|{}|{}".Split('|').Prepend("id")
                    .Select((s, i) => Encoding.UTF8.GetBytes(i == 1 ? "<IDS|MSG>" : s))]));
        Assert.Equal(2, _codec.Malformed);
        Assert.Equal(1, unsigned.Malformed);
    }

    [Theory]
    [InlineData("null", "{}", "{}", "{}", "the header is null")]
    [InlineData("[]", "{}", "{}", "{}", "the header is a list")]
    [InlineData("{}", "{}", "{}", "{}", "no msg_type")]
    [InlineData("""{"msg_type": 5, "msg_id": "a"}""", "{}", "{}", "{}", "msg_type is 5")]
    [InlineData("""{"msg_type": "t", "msg_id": "a", "msg_id": "b"}""", "{}", "{}", "{}", "the header: Duplicate property 'msg_id'")]
    [InlineData("""{"msg_type": "t", "msg_id": "\udc00"}""", "{}", "{}", "{}", "the header: msg_id is no valid Unicode")]
    [InlineData("""{"msg_type": "t", "msg_id": "a"}""", "null", "{}", "{}", "the parent header is null")]
    [InlineData("""{"msg_type": "t", "msg_id": "a"}""", "{}", "null", "{}", "the metadata is null")]
    [InlineData("""{"msg_type": "t", "msg_id": "a"}""", "{}", "{}", "null", "the content is null")]
    [InlineData("""{"msg_type": "t", "msg_id": "a"}""", "{}", "{}", """{"code": {"a": ["\ud800"]}}""", "code.a[0] is no valid Unicode")]
    [InlineData(
        """{"msg_type": "t", "msg_id": "a"}""", "{}", "{}", """{"code": "1", "code": "2"}""", "the content: Duplicate property 'code'")]
    public void Decode_WrongPart_IsRefusedAndSaysWhatIsWrong(string header, string parent, string metadata, string content, string problem)
    {
        var parts = new[] { "<IDS|MSG>", "", header, parent, metadata, content }.Select(Encoding.UTF8.GetBytes).ToList();
        var codec = new MessageCodec("");
        Assert.Null(codec.Decode(parts));
        Assert.Equal(1, codec.Malformed);
        Assert.Contains(problem, codec.LastProblem, StringComparison.Ordinal);
    }

    private static JupyterMessage Message() =>
        JupyterMessage.Create("execute_request", new JsonObject { ["code"] = "1 + 1" }, null, "session", null, ["id"u8.ToArray()]);
}
