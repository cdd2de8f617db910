pytest_plugins = ["tests.support.servers", "tests.support.data", "tests.support.processes"]
