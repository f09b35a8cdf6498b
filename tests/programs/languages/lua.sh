#!/usr/bin/lua5.4
# shell: lua5.4
-- Strings, tables, coroutines, files, pipes, numbers, errors.
print(_VERSION, 10 // 3, 7 % -3, 2 ^ 10, 1 << 40, 0x7fffffffffffffff + 1 == math.mininteger, string.format("%5.2f|%q", math.pi, "a\nb"))
local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) print(t[1], t[1000], #t, table.concat({1, 2, 3}, "-"))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), co())
for w in ("one two three"):gmatch("%a+") do io.write(w:upper(), " ") end print(("abc"):rep(3, ","), ("hello"):gsub("l", "L"))
local f = assert(io.open("file", "w")) for i = 1, 100 do f:write(i, "\n") end f:close() local s = 0 for l in io.lines("file") do s = s + tonumber(l) end print(s)
local p = io.popen("seq 1 3") print(p:read("a"):gsub("\n", " ")) print(p:close()) print(os.execute("exit 3")) print(os.getenv("HOME"), os.rename("file", "g"), os.remove("g"), io.open("file"))
print(pcall(error, {code = 1}), select(2, pcall(function() local x = nil; return x.y end))) print(utf8.char(228, 8364), utf8.len("äö")) os.exit(5)
