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

#endif
