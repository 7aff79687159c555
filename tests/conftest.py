"""What every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.kit.services", "tests.kit.central_database"]

# Shared machines are slow now and then; how long one example takes is no property of ours.
settings.register_profile("ventanilla", deadline=None, print_blob=True)
settings.load_profile("ventanilla")
