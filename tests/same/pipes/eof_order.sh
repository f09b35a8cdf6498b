# The reader sees end of file only when the last writer is gone.
{ echo a; (echo b; echo c) & wait; } | { cat; echo end; }
