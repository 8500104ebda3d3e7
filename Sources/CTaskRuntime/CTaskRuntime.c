// The header declares what the runtime defines; a C target needs a source.
#include "CTaskRuntime.h"
