namespace Dreambooth.Lab.Hub;

/// <summary>Why a hub operation failed; each kind has its own next step, which the message gives.</summary>
public enum HubErrorKind
{
    /// <summary>The model is gated or private and there is no token.</summary>
    NotLoggedIn,

    /// <summary>The hub does not know the token.</summary>
    TokenRefused,

    /// <summary>The token's account has not accepted the model's licence.</summary>
    LicenceNotAccepted,

    /// <summary>The token's account lacks the permission; uploads need a token with write access.</summary>
    Forbidden,

    /// <summary>There is no such repository, or it is private to others.</summary>
    RepoNotFound,

    /// <summary>There is no such branch, tag or commit.</summary>
    RevisionNotFound,

    /// <summary>There is no such file in the repository.</summary>
    FileNotFound,

    /// <summary>The repository has no safetensors weights, or not the variant that was asked for.</summary>
    NoSafetensors,

    /// <summary>The disk of the cache is too full.</summary>
    DiskFull,

    /// <summary>The hub cannot be reached.</summary>
    Network,

    /// <summary>Offline mode, and not everything is cached.</summary>
    Offline,

    /// <summary>Too many requests, and waiting did not help.</summary>
    RateLimited,

    /// <summary>The hub itself fails.</summary>
    Server,

    /// <summary>What arrived is not what the hub lists.</summary>
    Damaged,

    /// <summary>The server names a file or an address that is not safe to follow.</summary>
    Unsafe,

    /// <summary>The hub refused for another reason, which the message repeats.</summary>
    Refused,
}
