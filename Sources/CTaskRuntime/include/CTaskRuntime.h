// Entry points of the Swift concurrency runtime, which the standard library itself calls for `withUnsafeCurrentTask` and
// for task-locals. They are part of the runtime's stable ABI.
#ifndef CTASKRUNTIME_H
#define CTASKRUNTIME_H

/// The running task, or null on a thread without one.
__attribute__((swiftcall)) void *_Nullable swift_task_getCurrent(void);

/// Where the innermost value bound under the key lies, or null. It stays there for as long as it is bound.
__attribute__((swiftcall)) void *_Nullable swift_task_localValueGet(const void *_Nonnull key);

/// Binds a value of the type under the key. The value is moved from where it lies.
__attribute__((swiftcall)) void swift_task_localValuePush(const void *_Nonnull key, void *_Nonnull value,
                                                          const void *_Nonnull type);

/// Undoes the last binding, and releases its value.
__attribute__((swiftcall)) void swift_task_localValuePop(void);

// Two places that Swift has nothing as fast for: a global of Swift is asked whether it was made at every read, and a thread's own
// value is behind a call.

extern _Thread_local void *_Nullable contrail_thread_slot;

/// A pointer of the thread that calls; null until it is set.
static inline void *_Nullable contrail_thread_slot_get(void) { return contrail_thread_slot; }

/// Sets the pointer of the thread that calls.
static inline void contrail_thread_slot_set(void *_Nullable value) { contrail_thread_slot = value; }

extern const void *_Nullable contrail_binding_words[2];

/// The key that is bound under, or null while nobody has set it.
static inline const void *_Nullable contrail_binding_key(void) {
    return __atomic_load_n(&contrail_binding_words[0], __ATOMIC_ACQUIRE);
}

/// The type of what is bound. Ask for the key first.
static inline const void *_Nonnull contrail_binding_type(void) { return contrail_binding_words[1]; }

/// Sets both, once.
static inline void contrail_binding_set(const void *_Nonnull key, const void *_Nonnull type) {
    contrail_binding_words[1] = type;
    __atomic_store_n(&contrail_binding_words[0], key, __ATOMIC_RELEASE);
}

/// Passes the time until a lock that another thread holds for some nanoseconds is asked for again.
///
/// `turn` counts the times that the caller has waited: the first 64 are some ten nanoseconds each, then the thread gives its turn to
/// others, and from the 128th it sleeps for 50 microseconds.
void contrail_brief_wait(unsigned turn);

#endif
