"""What can go wrong below the server, drawn in one place.

    GhostnoteError
    |- BundleError            a model bundle cannot be used
    |  |- BundleNotFound      there is none of that name
    |  |- BundleDamaged       a file is missing, changed or malformed
    |  `- BundleMismatch      it is whole, but made for another build: schema, vocabulary
    |- ProviderError          the model is sound, but this machine's runtime cannot run it
    `- Cancelled              the caller no longer wants the answer

Every message says what failed, both values where there are two, and the way out. A ValueError raised beside these is
the calling code's fault, never the user's.
"""

from __future__ import annotations


class GhostnoteError(Exception):
    """The root: a message that can be shown to the user as it stands."""


class BundleError(GhostnoteError):
    """A model bundle cannot be used."""


class BundleNotFound(BundleError):  # noqa: N818 (the name says it is an error by its parent)
    """There is no bundle of that name or at that path."""


class BundleDamaged(BundleError):  # noqa: N818
    """A file of the bundle is missing, malformed, or not the one that was exported."""


class BundleMismatch(BundleError):  # noqa: N818
    """The bundle is whole, but made for another build."""


class ProviderError(GhostnoteError):
    """The runtime of this machine cannot run the model."""


class Cancelled(GhostnoteError):  # noqa: N818
    """The caller asked to stop; the engine's state is sound and holds what was done so far."""
