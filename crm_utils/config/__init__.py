"""What a report can be told, checked before a notebook starts."""

from crm_utils.config.report import SECTIONS, Report, Settings, Source
from crm_utils.config.segment_map import Campaigns, SegmentMap, cell_name, check_limits
from crm_utils.config.simulated_shop import Shop
from crm_utils.config.yaml_models import parse, read
from crm_utils.core.errors import ParamsError

__all__ = [
    "SECTIONS",
    "Campaigns",
    "ParamsError",
    "Report",
    "SegmentMap",
    "Settings",
    "Shop",
    "Source",
    "cell_name",
    "check_limits",
    "parse",
    "read",
]
