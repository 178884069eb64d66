"""What holds for the whole suite."""

import gc


def pytest_collection_finish(session):
    # Tens of thousands of tests are no garbage: later collections need not walk over them.
    gc.collect()
    gc.freeze()
