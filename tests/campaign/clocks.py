"""Clocks that go wrong: a library, compiled when it is needed, through which a process sees a time that is off by so much."""

import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long long skew_ms(void) {
    static long long skew; static int known;
    if (!known) { const char *said = getenv("CLOCK_SKEW_MS"); skew = said ? atoll(said) : 0; known = 1; }
    return skew;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long ns = (long long) now->tv_nsec + (skew_ms() % 1000) * 1000000LL;
        now->tv_sec += skew_ms() / 1000 + (ns < 0 ? -1 : ns / 1000000000LL);
        now->tv_nsec = (ns + 1000000000LL) % 1000000000LL;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void) zone;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec; now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *told) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (told) *told = precise.tv_sec;
    return precise.tv_sec;
}
"""


def library(folder: Path) -> Path | None:
    """The library, made in a folder; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, made = folder / "skew.c", folder / "skew.so"
    source.write_text(SOURCE)
    built = subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl"], capture_output=True, check=False)
    return made if built.returncode == 0 else None


def environment(made: Path | None, skew_ms: int) -> dict[str, str]:
    """What makes a process see another time; {} where it is the right one."""
    return {"LD_PRELOAD": str(made), "CLOCK_SKEW_MS": str(skew_ms)} if made is not None and skew_ms else {}
