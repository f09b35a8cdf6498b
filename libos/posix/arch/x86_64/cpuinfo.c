/* One processor's paragraph of /proc/cpuinfo, from CPUID. */
#include "fd/system.h"

static void cpuid(uint32_t leaf, uint32_t word[4])
{
    __asm__ volatile("cpuid" : "=a"(word[0]), "=b"(word[1]), "=c"(word[2]), "=d"(word[3]) : "0"(leaf), "2"(0));
}

static const char *const features_1d[32] = {
    "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush",
    NULL, "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
};
static const char *const features_1c[32] = {
    "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", NULL, "pcid",
    "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", NULL, "avx", "f16c", "rdrand", "hypervisor",
};

static void flags(struct px_text *text, const char *const name[32], uint32_t bits)
{
    for (unsigned i = 0; i < 32; i++) {
        if (bits >> i & 1 && name[i])
            px_text_add(text, " %s", name[i]);
    }
}

static void brand(char name[49])
{
    uint32_t word[4];

    memset(name, 0, 49);
    cpuid(0x80000000u, word);
    for (unsigned i = 0; i < 3 && word[0] >= 0x80000004u; i++) {
        uint32_t part[4];

        cpuid(0x80000002u + i, part);
        memcpy(name + 16 * i, part, 16);
    }
}

void px_arch_cpuinfo(struct px_text *text, unsigned cpu)
{
    uint32_t first[4], version[4], extended[4];
    char vendor[13] = {0}, name[49];
    unsigned family, model;

    cpuid(0, first);
    cpuid(1, version);
    cpuid(0x80000001u, extended);
    brand(name);
    memcpy(vendor, &first[1], 4);
    memcpy(vendor + 4, &first[3], 4);
    memcpy(vendor + 8, &first[2], 4);
    family = version[0] >> 8 & 15;
    model = version[0] >> 4 & 15;
    if (family == 15 || family == 6)
        model |= version[0] >> 12 & 0xf0;
    if (family == 15)
        family += version[0] >> 20 & 255;
    px_text_add(text, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", cpu, vendor, family, model,
                name, version[0] & 15);
    px_text_add(text, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
                (unsigned long)(px_info()->tsc_hz / 1000000), (unsigned long)(px_info()->tsc_hz / 1000 % 1000), px_info()->cpus, cpu, px_info()->cpus);
    px_text_add(text, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", first[0]);
    flags(text, features_1d, version[3]);
    if (extended[3] >> 11 & 1)
        px_text_add(text, " syscall");
    if (extended[3] >> 20 & 1)
        px_text_add(text, " nx");
    if (extended[3] >> 29 & 1)
        px_text_add(text, " lm");
    flags(text, features_1c, version[2]);
    px_text_add(text, "\nbogomips\t: %lu.%02lu\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n",
                (unsigned long)(px_info()->tsc_hz / 500000), (unsigned long)(px_info()->tsc_hz / 5000 % 100));
}
