"""What other programs are told to do the same to a card: their command lines.

A line may name {pin}, {new}, {puk}, {admin}, {serial}, {ykcs11}, and the files {data},
{digest} and {out}. Where a program does one thing at a time there are several lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.cards.card_operations import (
    CHANGE,
    RECOGNISE,
    UNBLOCK,
    UNBLOCK_MUTUALLY,
    VERIFY,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """One program's way to do an operation."""

    name: str
    lines: tuple[str, ...]
    does_less: bool = False
    """It leaves out a part of what is compared: shown, and no target."""


_INPUT = "--output-file {out} --input-file"
_P11 = "pkcs11-tool --slot-index 0"
_YKCS11 = "pkcs11-tool --module {ykcs11}"
_P15 = "pkcs15-tool --reader 0"
_P15_SIGN = "pkcs15-crypt --reader 0 --pin {new} --sha-256 --sign --output {out}"
_YUBICO = "yubico-piv-tool --reader Yubico --action"
_YKMAN = "ykman --device {serial} piv"


def _signing(tool: str, mechanism: str) -> str:
    login = "--login --pin {new} --sign"
    return f"{tool} {login} --mechanism {mechanism} {_INPUT} {{data}}"


def _opensc(mechanism: str, padding: str) -> dict[str, list[Tool]]:
    """OpenSC's programs, which take PIV and GIDS cards alike."""
    p11_sign = _signing(_P11, mechanism)
    p15_sign = f"{_P15_SIGN} --input {{digest}} {padding}"
    p15_change = f"{_P15} --change-pin --pin {{pin}} --new-pin {{new}}"
    p11_change = f"{_P11} --login --pin {{pin}} --change-pin --new-pin {{new}}"
    p11_login = f"{_P11} --login --pin {{pin}} --list-mechanisms"
    return {
        RECOGNISE: [
            Tool("pkcs15-tool", (f"{_P15} --list-pins",)),
            Tool("pkcs11-tool", ("pkcs11-tool --list-token-slots",)),
        ],
        VERIFY: [
            Tool("pkcs15-tool", (f"{_P15} --verify-pin --pin {{pin}}",)),
            Tool("pkcs11-tool", (p11_login,)),
        ],
        CHANGE: [
            Tool("pkcs15-tool, pkcs15-crypt", (p15_change, p15_sign)),
            Tool("pkcs11-tool, twice", (p11_change, p11_sign)),
        ],
    }


def _piv(mechanism: str, padding: str = "") -> dict[str, list[Tool]]:
    tools = _opensc(mechanism, padding)
    unblock = f"{_P15} --unblock-pin --puk {{puk}} --new-pin {{new}}"
    sign = f"{_P15_SIGN} --input {{digest}} {padding}"
    tools[RECOGNISE].append(Tool("piv-tool", ("piv-tool --reader 0 --serial",)))
    tools[UNBLOCK] = [Tool("pkcs15-tool, pkcs15-crypt", (unblock, sign))]
    return tools


def _gids() -> dict[str, list[Tool]]:
    tools = _opensc("SHA256-RSA-PKCS", "--pkcs1")
    unblock = "gids-tool --unblock --admin-key {admin} --pin {new}"
    sign = _signing(_P11, "SHA256-RSA-PKCS")
    tools[UNBLOCK_MUTUALLY] = [Tool("gids-tool, pkcs11-tool", (unblock, sign))]
    return tools


def _yubikey() -> dict[str, list[Tool]]:
    own_sign = (
        f"{_YUBICO} verify-pin --pin {{new}} --sign --slot 9a --algorithm ECCP256"
        " --hash SHA256 --input {data} --output {out}"
    )
    module_sign = _signing(_YKCS11, "ECDSA-SHA256")
    login = f"{_YKCS11} --login --pin {{pin}}"
    unlock = f"{_YKCS11} --unlock-pin --puk puk:{{puk}} --new-pin pin:{{new}}"
    own_change = f"{_YUBICO} change-pin --pin {{pin}} --new-pin {{new}}"
    own_unblock = f"{_YUBICO} unblock-pin --pin {{puk}} --new-pin {{new}}"
    change = f"{_YKMAN} access change-pin --pin {{pin}} --new-pin {{new}}"
    unblock = f"{_YKMAN} access unblock-pin --puk {{puk}} --new-pin {{new}}"
    return {
        RECOGNISE: [
            Tool("yubico-piv-tool", (f"{_YUBICO} status",)),
            Tool("ykman", (f"{_YKMAN} info",)),
            Tool(
                "ykcs11, no counters",
                (f"{_YKCS11} --list-token-slots",),
                does_less=True,
            ),
        ],
        VERIFY: [
            Tool("yubico-piv-tool", (f"{_YUBICO} verify-pin --pin {{pin}}",)),
            Tool("ykcs11", (f"{login} --list-mechanisms",)),
        ],
        CHANGE: [
            Tool("yubico-piv-tool, twice", (own_change, own_sign)),
            Tool("ykman, ykcs11", (change, module_sign)),
            Tool(
                "ykcs11, twice",
                (f"{login} --change-pin --new-pin {{new}}", module_sign),
            ),
        ],
        UNBLOCK: [
            Tool("yubico-piv-tool, twice", (own_unblock, own_sign)),
            Tool("ykman, ykcs11", (unblock, module_sign)),
            Tool("ykcs11, twice", (unlock, module_sign)),
        ],
    }


TOOLS = {
    "PIV P-256": _piv("ECDSA-SHA256"),
    "PIV RSA-2048": _piv("SHA256-RSA-PKCS", "--pkcs1"),
    "YubiKey P-256": _yubikey(),
    "GIDS RSA-2048": _gids(),
}
"""Kind of card → operation → programs."""
