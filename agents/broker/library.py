"""Where librdkafka is: the C library that carries the embedded broker, inside the confluent-kafka wheel."""

from __future__ import annotations

import ctypes
import ctypes.util
from importlib import import_module, metadata
from pathlib import Path

_SUFFIXES = (".so", ".dylib", ".dll")


class LibraryNotFoundError(RuntimeError):
    """The embedded broker cannot start because its library is not there."""


def _is_librdkafka(name: str) -> bool:
    # librdkafka-0cb94173.so.1 (Linux), librdkafka.1.dylib (macOS), librdkafka-9f2d.dll (Windows); never librdkafka++.
    return (
        name.startswith("librdkafka")
        and not name.startswith(("librdkafka++", "librdkafkacpp"))
        and any(suffix in name for suffix in _SUFFIXES)
    )


def find() -> str:
    """Return the path of librdkafka: the wheel's own, else one that the system has.

    Raises
    ------
    LibraryNotFoundError
        Neither is there.
    """
    try:
        distribution = metadata.distribution("confluent-kafka")
    except metadata.PackageNotFoundError:
        raise LibraryNotFoundError("the embedded broker needs confluent-kafka: pip install confluent-kafka") from None
    listed = [Path(str(file.locate())) for file in distribution.files or () if _is_librdkafka(file.name)]
    # An installer may leave no list of files; the wheels keep the library in one of these two folders.
    site = Path(str(distribution.locate_file("")))
    beside = [
        path
        for folder in (site / "confluent_kafka.libs", site / "confluent_kafka" / ".dylibs")
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if _is_librdkafka(path.name)
    ]
    for path in (*listed, *beside):
        if path.is_file():
            return str(path)
    found = ctypes.util.find_library("rdkafka")
    if found is None:
        raise LibraryNotFoundError(
            "no librdkafka in the installed confluent-kafka: reinstall it from a wheel"
            " (pip install --only-binary :all: --force-reinstall confluent-kafka)"
        )
    return found


def load() -> ctypes.CDLL:
    """Return librdkafka with the signatures of what we call.

    Raises
    ------
    LibraryNotFoundError
        It is not there, cannot be loaded, or has no test cluster inside.
    """
    # Python's own extension first: it brings in the libraries that librdkafka itself needs (Windows looks nowhere).
    import_module("confluent_kafka")
    path = find()
    try:
        library = ctypes.CDLL(path)
        for name, (result, *arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise LibraryNotFoundError(
            f"librdkafka carries no usable embedded broker ({type(error).__name__}): reinstall confluent-kafka >= 2.11"
        ) from error
    return library


_handle, _text, _int = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIGNATURES: dict[str, tuple[type | None, ...]] = {
    "rd_kafka_conf_new": (_handle,),
    "rd_kafka_conf_set": (_int, _handle, _text, _text, _text, ctypes.c_size_t),
    "rd_kafka_new": (_handle, _int, _handle, _text, ctypes.c_size_t),
    "rd_kafka_destroy": (None, _handle),
    "rd_kafka_err2name": (_text, _int),
    "rd_kafka_mock_cluster_new": (_handle, _handle, _int),
    "rd_kafka_mock_cluster_destroy": (None, _handle),
    "rd_kafka_mock_cluster_bootstraps": (_text, _handle),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, _handle, ctypes.c_int32),
    "rd_kafka_mock_topic_create": (_int, _handle, _text, _int, _int),
    "rd_kafka_mock_broker_set_rtt": (_int, _handle, ctypes.c_int32, _int),
    "rd_kafka_mock_broker_set_down": (_int, _handle, ctypes.c_int32),
    "rd_kafka_mock_broker_set_up": (_int, _handle, ctypes.c_int32),
    "rd_kafka_mock_push_request_errors_array": (
        None,
        _handle,
        ctypes.c_int16,
        ctypes.c_size_t,
        ctypes.POINTER(_int),
    ),
    "rd_kafka_mock_clear_request_errors": (None, _handle, ctypes.c_int16),
}
