"""The metric catalog in force."""

from functools import lru_cache

from governance.rulebook.domain.metric_catalogs import parse_catalog
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import CatalogVersion
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.parsing.yaml_text import parse_yaml


def catalog_in_force() -> MetricCatalog:
    """The published metric catalog; that of the toolkit before any is published."""
    published = CatalogVersion.objects.filter(state=DocumentState.PUBLISHED)
    digest = published.order_by("-published_at").values_list("digest", flat=True).first()
    return STANDARD if digest is None else _catalog(digest)


@lru_cache(maxsize=8)  # versions never change, and every page needs the catalog
def _catalog(digest: str) -> MetricCatalog:
    source = CatalogVersion.objects.filter(digest=digest).values_list("source", flat=True)[0]
    return parse_catalog(parse_yaml(source))
