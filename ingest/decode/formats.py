"""The formats of spans that the edge speaks, and the decoder of each."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from ingest.decode.faro import decode_faro
from ingest.decode.native import decode_native
from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.decode.otlp_logs import decode_logs_json, decode_logs_protobuf
from ingest.decode.reports import decode_reports
from ingest.model import Decoded
from ingest.settings import Limits


class Format(Enum):
    """What a body of client spans is written in. The value is its name in metrics."""

    NATIVE = "native"
    OTLP_PROTOBUF = "otlp_protobuf"
    OTLP_JSON = "otlp_json"
    LOGS_PROTOBUF = "otlp_logs_protobuf"
    LOGS_JSON = "otlp_logs_json"
    FARO = "faro"
    REPORTS = "reports"


DECODERS: Mapping[Format, Callable[[Sequence[bytes], Limits], Decoded]] = {
    Format.NATIVE: decode_native,
    Format.OTLP_PROTOBUF: decode_otlp_protobuf,
    Format.OTLP_JSON: decode_otlp_json,
    Format.LOGS_PROTOBUF: decode_logs_protobuf,
    Format.LOGS_JSON: decode_logs_json,
    Format.FARO: decode_faro,
    Format.REPORTS: decode_reports,
}
"""Each takes inflated bodies and gives one batch of all their spans and the bodies it could not read."""
