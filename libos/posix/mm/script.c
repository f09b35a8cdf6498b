/* `#!` lines, as Linux's binfmt_script reads them. */
#include "exec.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int64_t px_script_parse(char line[PX_EXEC_LINE], size_t got, char **interpreter, char **argument)
{
    size_t end, at = 2, length;
    bool line_ends = false, cut = true; /* no end of line within what Linux looks at */

    if (got < 2 || line[0] != '#' || line[1] != '!')
        return -ENOEXEC;
    for (end = 2; end < got; end++)
        if (line[end] == '\n' || line[end] == '\0') {
            cut = false;
            line_ends = line[end] == '\n';
            break;
        }
    if (got < PX_EXEC_LINE)
        cut = false; /* the file ends there */
    if (end == PX_EXEC_LINE)
        end--;
    while (end > at && is_blank(line[end - 1]))
        end--;
    while (at < end && is_blank(line[at]))
        at++;
    if (at == end) /* no name; before the end of the file an empty one, which is the current directory */
        return line_ends || cut ? -ENOEXEC : -EACCES;
    line[end] = '\0';
    length = 0;
    while (at + length < end && !is_blank(line[at + length]))
        length++;
    if (cut && at + length == end)
        return -ENOEXEC; /* the interpreter's name itself may be cut off */
    *interpreter = line + at;
    *argument = NULL;
    if (at + length < end) {
        line[at + length] = '\0';
        at += length + 1;
        while (at < end && is_blank(line[at]))
            at++;
        if (at < end)
            *argument = line + at;
    }
    return 0;
}
