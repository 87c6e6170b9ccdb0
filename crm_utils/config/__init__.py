"""The parameters of a report, validated before any notebook runs."""

from crm_utils.config.campaigns import Campaigns, check_evidence
from crm_utils.config.evidence import Evidence
from crm_utils.config.report import SECTIONS, Columns, Contacting, Report, Sent, Settings, Source, SourceFile
from crm_utils.config.scoring import Scoring, ScoringConfig
from crm_utils.config.segment_map import SegmentMap, cell_name, check_bin_edges
from crm_utils.config.segment_rules import SegmentRules
from crm_utils.config.simulated_shop import SimulatedResponse, SimulatedShop
from crm_utils.config.yaml_models import parse_model, read_yaml
from crm_utils.core.errors import ParamsError

__all__ = [
    "SECTIONS",
    "Campaigns",
    "Columns",
    "Contacting",
    "Evidence",
    "ParamsError",
    "Report",
    "Scoring",
    "ScoringConfig",
    "SegmentMap",
    "SegmentRules",
    "Sent",
    "Settings",
    "SimulatedResponse",
    "SimulatedShop",
    "Source",
    "SourceFile",
    "cell_name",
    "check_bin_edges",
    "check_evidence",
    "parse_model",
    "read_yaml",
]
