pytest_plugins = [
    "tests.support.memory",
    "tests.support.logs",
    "tests.support.shares",
    "tests.support.servers",
    "tests.support.data",
    "tests.support.processes",
]
