// SyscallFacts+Time: clocks and timers.

extension SyscallFacts {
    static let ofTime = """
        35 nanosleep low Sleeps for a given time.
        230 clock_nanosleep low Sleeps for a time, or until one, by a chosen clock.
        228 clock_gettime low Tells the time of a clock.
        229 clock_getres low Tells how fine a clock is.
        227 clock_settime high Sets the machine's clock.
        305 clock_adjtime high Trims the machine's clock.
        159 adjtimex high Trims the machine's clock, and tells how well it runs.
        96 gettimeofday low Tells the time of day.
        164 settimeofday high Sets the machine's time of day.
        201 time low Tells the time in seconds.
        37 alarm low Asks for a signal after some seconds.
        36 getitimer low Tells an interval timer.
        38 setitimer low Sets an interval timer.
        222 timer_create low Makes a timer that sends signals.
        223 timer_settime low Starts or stops such a timer.
        224 timer_gettime low Tells how long such a timer still takes.
        225 timer_getoverrun low Tells how often such a timer expired unnoticed.
        226 timer_delete low Removes such a timer.
        283 timerfd_create low Makes a timer that is read from a descriptor.
        286 timerfd_settime low Starts or stops such a timer.
        287 timerfd_gettime low Tells how long such a timer still takes.
        """
}
