// Package lambda is the local Lambda: the Invoke API in front, the Runtime API behind, processes in between.
//
// What it guarantees:
//
//   - A function is what the template says: its variables, time-out and log format, and nothing of the host's environment
//     but PATH and three Go switches (see environment.go). It runs from <Dir>/<logical id>/bootstrap, which is the layout
//     of Build and of `sam build`: on an arm64 Linux host Dir may be .aws-sam/build, and the very files that would be
//     deployed run here.
//   - A process handles one invocation at a time. Idle processes are used last in, first out; where none is idle a new one
//     starts (a cold start), up to MaxProcesses for each function.
//   - A panic, an exit or a time-out ends one invocation with AWS's own error object, and its process; the next
//     invocation gets another. An idle process that is seen to have died costs no invocation.
//   - An invocation that has begun runs to its end or its time-out, also when its caller has gone.
//   - No process outlives the stack: Close ends them, each dies when its Runtime API goes away, and on Linux the kernel
//     kills it with the stack.
//   - Every line a function writes reaches the Log of the Config, with the request it belongs to.
//
// # Concurrency
//
// AWS runs up to 1,000 invocations of an account at a time, each in a process of its own. A developer's machine gains
// nothing from that: two cores invoke an empty function some 5,000 times a second, with 4 processes as with 32, and each
// process takes some 12 MB. So 10 processes of a function stand for the 1,000. What is beyond them waits, first come,
// first served, as long as its caller does (at 3 ms an invocation, the last of 1,000 waits 0.3 s). Only what AWS would
// throttle is throttled (429 TooManyRequestsException): what exceeds the account's 1,000, those that wait included, and
// what exceeds a function's ReservedConcurrentExecutions, a limit that its author chose and wants to see at work.
//
// # What the caller owes
//
// A Runtime must be closed. The Log must not block for long: it is called by whoever reads the function's output. Other
// rooms call functions through a Client and never through a Runtime, so that `sam local start-lambda` can stand in for it.
package lambda
