#include "CTaskRuntime.h"

#include <sched.h>
#include <time.h>

_Thread_local void *contrail_thread_slot;
const void *contrail_binding_words[2];

void contrail_brief_wait(unsigned turn) {
    enum { busy = 64, polite = 128 };
    if (turn < busy) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ __volatile__("yield");
#endif
    } else if (turn < polite) {
        sched_yield();
    } else {
        const struct timespec moment = {.tv_sec = 0, .tv_nsec = 50000};
        nanosleep(&moment, 0);
    }
}
