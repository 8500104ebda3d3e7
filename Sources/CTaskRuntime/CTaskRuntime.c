#include "CTaskRuntime.h"

_Thread_local void *contrail_thread_slot;
const void *contrail_binding_words[2];
