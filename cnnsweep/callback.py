"""The name under which configs of other apps and older versions know the callback."""

from cnnsweep.hydra_callback import Folders as Folders
