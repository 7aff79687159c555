"""The purity contract itself: it finds what it must find, and the real packages keep it."""

import grimp
import pytest
from importlinter.domain.contract import Contract

from tests.kit.pure_contract import PureContract, pure_modules

PATTERNS = ["sync.domain.**", "**.rules"]


def graph_of(*imports: tuple[str, str]) -> grimp.ImportGraph:
    """A graph with our modules as given and everything outside `sync` and `edge_node` as external."""
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        for module in (importer, imported):
            external = module.partition(".")[0] not in {"sync", "edge_node"}
            if module not in graph.modules:
                graph.add_module(module, is_squashed=external)
        graph.add_import(importer=importer, imported=imported)
    return graph


def contract() -> Contract:
    return PureContract(
        name="pure",
        session_options={"root_packages": ["sync", "edge_node"]},
        contract_options={
            "modules": PATTERNS,
            "allowed_third_parties": ["msgspec"],
            "forbidden_standard": ["os", "time"],
        },
    )


@pytest.mark.parametrize(
    "importer,imported,kept",
    [
        ("sync.domain.ordering", "datetime", True),
        ("sync.domain.ordering", "msgspec", True),
        ("sync.domain.ordering", "sync.domain.ticket", True),
        ("edge_node.queue.rules", "sync.domain.ticket", True),
        ("edge_node.queue.rules", "edge_node.queue.store", False),
        ("sync.domain.ordering", "sync.io.clock", False),
        ("sync.domain.ordering", "time", False),
        ("sync.domain.ordering", "cryptography", False),
        ("edge_node.queue.store", "time", True),
    ],
)
def test_pure_contract_decides_each_import(importer: str, imported: str, kept: bool) -> None:
    assert contract().check(graph_of((importer, imported)), verbose=False).kept is kept


def test_a_pattern_names_the_package_its_modules_and_rules_at_any_depth() -> None:
    graph = graph_of(
        ("sync.domain", "msgspec"),
        ("sync.domain.ticket", "msgspec"),
        ("edge_node.queue.rules", "msgspec"),
        ("edge_node.rules", "msgspec"),
        ("edge_node.queue.rulesets", "msgspec"),
    )
    assert pure_modules(graph, set(PATTERNS)) == {
        "sync.domain",
        "sync.domain.ticket",
        "edge_node.queue.rules",
        "edge_node.rules",
    }
