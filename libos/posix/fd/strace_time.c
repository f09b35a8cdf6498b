/* How strace shows times and timers. */
#include "strace_put.h"

#define UTIME_NOW ((1l << 30) - 1)
#define UTIME_OMIT ((1l << 30) - 2)
#define DAYS_TO_1970 719468 /* from 1 March of the year 0 */
#define DAYS_OF_ERA 146097  /* 400 years */

static void put_time(struct px_text *text, const int64_t time[2], const char *unit)
{
    px_text_add(text, "{tv_sec=%ld, tv_%s=", (long)time[0], unit);
    px_text_add(text, *unit == 'n' ? "%lu}" : "%ld}", (long)time[1]);
}

static void put_time_at(struct px_text *text, px_user from, const char *unit)
{
    int64_t time[2];

    if (px_put_read(text, time, from, sizeof time))
        put_time(text, time, unit);
}

void px_put_timespec(struct px_text *text, px_user from)
{
    put_time_at(text, from, "nsec");
}

void px_put_timeval(struct px_text *text, px_user from)
{
    put_time_at(text, from, "usec");
}

void px_put_ticks(struct px_text *text, int64_t ticks)
{
    px_text_add(text, ticks ? "%ld /* %ld.%02ld s */" : "%ld", (long)ticks, (long)(ticks / 100), (long)(ticks % 100));
}

PX_PUT(timeval)
{
    px_put_timeval(text, trace->argument[index]);
    return true;
}

/* The time that is left: only who was interrupted is told. */
PX_PUT(rest)
{
    bool told = -(int64_t)trace->argument[PX_STRACE_RESULT] == PX_ERESTART_BLOCK || -(int64_t)trace->argument[PX_STRACE_RESULT] == EINTR;

    if (!trace->leaving)
        return false;
    if (told)
        px_put_timespec(text, trace->argument[index]);
    else
        px_put_address(text, trace->argument[index]);
    return true;
}

static void put_interval(struct px_text *text, px_user from, const char *unit)
{
    int64_t times[4];

    if (!px_put_read(text, times, from, sizeof times))
        return;
    px_text_add(text, "{it_interval=");
    put_time(text, times, unit);
    px_text_add(text, ", it_value=");
    put_time(text, times + 2, unit);
    px_text_add(text, "}");
}

PX_PUT(itimerval)
{
    put_interval(text, trace->argument[index], "usec");
    return true;
}

PX_PUT(itimerspec)
{
    put_interval(text, trace->argument[index], "nsec");
    return true;
}

PX_PUT(timezone)
{
    int32_t zone[2];

    if (px_put_read(text, zone, trace->argument[index], sizeof zone))
        px_text_add(text, "{tz_minuteswest=%d, tz_dsttime=%d}", zone[0], zone[1]);
    return true;
}

/* ---- dates ---- */

/* 2001-09-09T01:46:40.000000005+0000: days are counted in years that begin in March, whose leap day is their last. */
static void put_date(struct px_text *text, int64_t seconds, int64_t fraction, int digits)
{
    int64_t days = seconds / 86400, second = seconds % 86400, era, year;
    unsigned day, month;

    if (second < 0) {
        second += 86400;
        days--;
    }
    days += DAYS_TO_1970;
    era = (days >= 0 ? days : days - (DAYS_OF_ERA - 1)) / DAYS_OF_ERA;
    day = (unsigned)(days - era * DAYS_OF_ERA);
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= (unsigned)(365 * year + year / 4 - year / 100);
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    px_text_add(text, "%ld-%02u-%02uT%02d:%02d:%02d", (long)(year + era * 400 + (month >= 10)), month < 10 ? month + 3 : month - 9, day + 1,
                (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    if (fraction)
        px_text_add(text, ".%0*ld", digits, (long)fraction);
    px_text_add(text, "+0000");
}

static void put_dated(struct px_text *text, const int64_t time[2], const char *unit)
{
    put_time(text, time, unit);
    px_text_add(text, " /* ");
    put_date(text, time[0], time[1], *unit == 'n' ? 9 : 6);
    px_text_add(text, " */");
}

static void put_element_timeval(struct px_text *text, const void *element, void *with)
{
    (void)with;
    put_dated(text, element, "usec");
}

static void put_element_timespec(struct px_text *text, const void *element, void *with)
{
    const int64_t *time = element;

    (void)with;
    if (time[1] == UTIME_NOW || time[1] == UTIME_OMIT)
        px_text_add(text, time[1] == UTIME_NOW ? "UTIME_NOW" : "UTIME_OMIT");
    else
        put_dated(text, time, "nsec");
}

PX_PUT(timevals)
{
    px_put_array(text, trace->argument[index], 2, 2 * sizeof(int64_t), put_element_timeval, NULL);
    return true;
}

PX_PUT(timespecs)
{
    px_put_array(text, trace->argument[index], 2, 2 * sizeof(int64_t), put_element_timespec, NULL);
    return true;
}

PX_PUT(utimbuf)
{
    int64_t times[2];

    if (!px_put_read(text, times, trace->argument[index], sizeof times))
        return true;
    px_text_add(text, "{actime=%ld /* ", (long)times[0]);
    put_date(text, times[0], 0, 0);
    px_text_add(text, " */, modtime=%ld /* ", (long)times[1]);
    put_date(text, times[1], 0, 0);
    px_text_add(text, " */}");
    return true;
}

PX_PUT(time)
{
    int64_t time;

    if (!px_put_read(text, &time, trace->argument[index], sizeof time))
        return true;
    px_text_add(text, "[%ld /* ", (long)time);
    put_date(text, time, 0, 0);
    px_text_add(text, " */]");
    return true;
}

PX_PUT(time_result)
{
    px_text_add(text, "%ld (", (long)trace->argument[index]);
    put_date(text, (int64_t)trace->argument[index], 0, 0);
    px_text_add(text, ")");
    return true;
}
