/*
 * How long an instruction is (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A). For rewriting, so what is rare or depends
 * on the processor's maker is refused.
 */
#include "rewrite.h"

/*
 * What follows the opcode, for each: . nothing, m ModRM, b a byte, n ModRM and a byte, z an immediate of 2 or 4 bytes by operand size, y ModRM and that,
 * v an immediate that may also have 8 bytes, w 2 bytes, e 3, r 4 bytes relative, o an address, f and g ModRM and sometimes an immediate;
 * p prefix, R REX, 2 3 4 other maps, x X E VEX and EVEX, - refused.
 */
static const char one_byte[] =
    "mmmmbz--mmmmbz-2" "mmmmbz--mmmmbz--" "mmmmbzp-mmmmbzp-" "mmmmbzp-mmmmbzp-"
    "RRRRRRRRRRRRRRRR" "................" "--Emppppzybn...." "bbbbbbbbbbbbbbbb"
    "ny-nmmmmmmmmmmm-" "..........-....." "oooo....bz......" "bbbbbbbbvvvvvvvv"
    "nnw.Xxnye.w..b-." "mmmm---.mmmmmmmm" "bbbbbbbbrr-b...." "p.pp..fg......mm";
static const char two_bytes[] =
    "mmmm-.....-.-m.n" "mmmmmmmmmmmmmmmm" "mmmm----mmmmmmmm" "......-.3-4-----"
    "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "nnnnmmm.----mmmm"
    "rrrrrrrrrrrrrrrr" "mmmmmmmmmmmmmmmm" "...mnm--...mnmmm" "mmmmmmmmmmnmmmmm"
    "mmnmnnnm........" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm";

#define MOST_BYTES 15u
#define MAP_MASK 31u
#define EVEX_MAP_MASK 7u

struct decoder {
    const uint8_t *code;
    unsigned bytes, at;
    bool short_operand, short_address, wide;
};

static uint8_t peek(const struct decoder *decoder)
{
    return decoder->at < decoder->bytes ? decoder->code[decoder->at] : 0;
}

static uint8_t next(struct decoder *decoder)
{
    uint8_t byte = peek(decoder);

    decoder->at++;
    return byte;
}

/* ModRM with what belongs to it; the register field, which may extend the opcode. */
static unsigned mod_rm(struct decoder *decoder)
{
    uint8_t byte = next(decoder);
    unsigned mode = byte >> 6, memory = byte & 7;

    if (mode == 3)
        return byte >> 3 & 7;
    if (memory == 4)
        memory = next(decoder) & 7; /* the base of SIB */
    if (mode == 1)
        decoder->at += 1;
    else if (mode == 2 || memory == 5)
        decoder->at += 4;
    return byte >> 3 & 7;
}

static unsigned operand_bytes(const struct decoder *decoder)
{
    return decoder->short_operand && !decoder->wide ? 2 : 4;
}

static bool operands(struct decoder *decoder, char kind)
{
    switch (kind) {
    case '.': return true;
    case 'm': (void)mod_rm(decoder); return true;
    case 'n': (void)mod_rm(decoder); decoder->at += 1; return true;
    case 'y': (void)mod_rm(decoder); decoder->at += operand_bytes(decoder); return true;
    case 'f': decoder->at += mod_rm(decoder) < 2 ? 1 : 0; return true;
    case 'g': decoder->at += mod_rm(decoder) < 2 ? operand_bytes(decoder) : 0; return true;
    case 'b': decoder->at += 1; return true;
    case 'w': decoder->at += 2; return true;
    case 'e': decoder->at += 3; return true;
    case 'z': decoder->at += operand_bytes(decoder); return true;
    case 'v': decoder->at += decoder->wide ? 8 : operand_bytes(decoder); return true;
    case 'o': decoder->at += decoder->short_address ? 4 : 8; return true;
    case 'r': decoder->at += 4; return !decoder->short_operand; /* makers differ */
    default: return false;
    }
}

/* An opcode of a map by its number, as VEX and EVEX have them. */
static bool in_map(struct decoder *decoder, unsigned map)
{
    uint8_t opcode = next(decoder);

    switch (map) {
    case 1: return operands(decoder, two_bytes[opcode]);
    case 2: return operands(decoder, 'm');
    case 3: return operands(decoder, 'n');
    default: return false;
    }
}

static bool decode(struct decoder *decoder)
{
    uint8_t opcode = next(decoder);
    char kind;

    while (one_byte[opcode] == 'p' || one_byte[opcode] == 'R') {
        decoder->short_operand |= opcode == 0x66;
        decoder->short_address |= opcode == 0x67;
        decoder->wide = one_byte[opcode] == 'R' && opcode & 8; /* a prefix after REX makes it void */
        if (decoder->at >= MOST_BYTES)
            return false;
        opcode = next(decoder);
    }
    switch (one_byte[opcode]) {
    case '2': break;
    case 'x': decoder->at += 1; return in_map(decoder, 1);
    case 'X': decoder->at += 2; return in_map(decoder, decoder->code[decoder->at - 2] & MAP_MASK);
    case 'E': decoder->at += 3; return in_map(decoder, decoder->code[decoder->at - 3] & EVEX_MAP_MASK);
    default: return operands(decoder, one_byte[opcode]);
    }
    kind = two_bytes[next(decoder)];
    if (kind == '3' || kind == '4')
        return in_map(decoder, kind == '3' ? 2 : 3);
    return operands(decoder, kind);
}

unsigned px_instruction_length(const uint8_t *code, unsigned bytes)
{
    struct decoder decoder = {.code = code, .bytes = bytes};

    if (bytes < MOST_BYTES + 1 || !decode(&decoder) || decoder.at > MOST_BYTES)
        return 0;
    return decoder.at;
}
