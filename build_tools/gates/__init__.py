"""What every hop is measured with, and what happens to an artefact that misses its bar."""

from build_tools.gates.report import GateReport, Measure, require

__all__ = ["GateReport", "Measure", "require"]
