// Nothing but the header: the function is the compiler's.
#include "CLibFuzzer.h"
