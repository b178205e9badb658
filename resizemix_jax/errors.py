"""The ways a run ends early that are not bugs, each with the exit code that main.py gives it."""


class RunError(Exception):
    """A run that stops with a message for its user; `exit_code` is what the process returns."""

    exit_code = 1


class ConfigError(RunError, ValueError):
    """The config, or the workdir it is used with, cannot be what the user wants."""

    exit_code = 2


class DataError(RunError):
    """The dataset is missing, incomplete, or of another kind than its name says."""

    exit_code = 2


class NonFiniteError(RunError):
    """The loss is no longer a number."""

    exit_code = 3


class PreemptedError(RunError):
    """SIGTERM came; the state is saved, and the same command continues it."""

    exit_code = 75
