from tests.input.conftest import written  # noqa: F401
