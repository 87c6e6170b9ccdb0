"""What a report can be told, checked before a notebook starts."""

from crm_utils.params.base import ParamsError, parse, read
from crm_utils.params.report import SECTIONS, Report, Settings, Source
from crm_utils.params.rules import Campaigns, SegmentMap, cell_name, check_limits
from crm_utils.params.shop import Shop

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
