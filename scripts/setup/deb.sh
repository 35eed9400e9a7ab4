#!/bin/sh
# Makes dist/pin-kiosk_VERSION_ARCHITECTURE.deb for this machine's Debian, with
# everything in it: libraries at the locked versions, units, polkit's rule, completion
# and the manual page. Debian's own Python runs it; the package depends on just the one
# that it was made for.
set -eu
here=$(dirname -- "$0")
python=/usr/bin/python3
# shellcheck source=scripts/setup/building.sh
. "$here/building.sh"

told() {
    "$python" -c "import sys, tomllib
print(tomllib.load(open('pyproject.toml', 'rb'))['project'][sys.argv[1]])" "$1"
}
release=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\)"\{0,1\}$/\1/p' /etc/os-release)
version=$(told version)~deb$release
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
architecture=$(dpkg --print-architecture)
package=dist/pin-kiosk_${version}_$architecture.deb
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH

root=$work/root
home=usr/lib/pin-kiosk
echo "Making $package; some of it is compiled here, which takes a minute."
rm -f dist/pin-kiosk_*.deb  # one for who types a star
mkdir -p dist "$root/$home/bin" "$root/usr/bin" "$root/DEBIAN"
chmod 755 "$root"
umask 022

# --- the environment -----------------------------------------------------------

ln -s "/usr/bin/python$minor" "$root/$home/bin/python"
printf '%s\n' "home = /usr/bin" "include-system-site-packages = false" \
    "version = $minor" >"$root/$home/pyvenv.cfg"
tool hatchling build -t wheel -d "$work/wheels" >/dev/null 2>&1
wheels "$work/wheels" requirements.lock
kerberos_wheels "$work/wheels"
pip --python "$root/$home/bin/python" install --no-deps --no-index --no-compile \
    "$work"/wheels/*.whl
find "$root/$home/bin" -mindepth 1 ! -name python -delete
rm -rf "${root:?}/$home/share" "$root/$home/include"
launcher "$root/$home" "install the package that was made for this Debian"
ln -s ../lib/pin-kiosk/bin/kiosk "$root/usr/bin/kiosk"
kiosk() {
    "$root/$home/bin/kiosk" "$@"
}
kiosk --version >/dev/null
libraries=$root/$home/lib/python$minor/site-packages
find "$libraries" -name '*.so' -exec strip --strip-unneeded {} +
find "$libraries" -name __pycache__ -prune -exec rm -r {} +
"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
    -s "$root" -p / "$libraries"

# --- what the system reads -----------------------------------------------------

kiosk units --to "$work/units" --program /usr/bin/kiosk >/dev/null
mkdir -p "$root/usr/lib/systemd" "$root/usr/share/polkit-1" "$root/etc"
cp -r "$work/units/etc/systemd/system" "$root/usr/lib/systemd/system"
cp -r "$work/units/etc/polkit-1/rules.d" "$root/usr/share/polkit-1/rules.d"
cp -r "$work/units/etc/logrotate.d" "$root/etc/logrotate.d"
completion() {
    mkdir -p "$root/$(dirname -- "$2")"
    _KIOSK_COMPLETE=source_$1 kiosk >"$root/$2"
}
completion bash usr/share/bash-completion/completions/kiosk
completion zsh usr/share/zsh/vendor-completions/_kiosk
completion fish usr/share/fish/vendor_completions.d/kiosk.fish
documents=$root/usr/share/doc/pin-kiosk
mkdir -p "$root/usr/share/man/man1" "$documents"
"$root/$home/bin/python" -B -m scripts.manual |
    gzip -9n >"$root/usr/share/man/man1/kiosk.1.gz"
gzip -9nc CHANGELOG.md >"$documents/changelog.gz"
cp LICENSE "$documents/copyright"
cp -r docs/*.md docs/*.json docs/adr docs/operations docs/screens "$documents"

# --- the package ----------------------------------------------------------------

for script in postinst prerm postrm; do
    cp "$here/deb/$script" "$root/DEBIAN/$script"
    chmod 755 "$root/DEBIAN/$script"
done
echo /etc/logrotate.d/pin-kiosk >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<EOF
Package: pin-kiosk
Version: $version
Architecture: $architecture
Maintainer: Pin Kiosk
Section: admin
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: python$minor, libc6, libpcsclite1, libgssapi-krb5-2, pcscd, libccid | pcsc-ifd-handler, adduser
Recommends: polkitd
Suggests: tpm2-tools
Description: $(told description)
 A person inserts a smart card and sets, changes or unblocks its PIN; the same value
 becomes the Active Directory password, after the card has signed for it. Type
 'kiosk init --guided' after the installation.
EOF
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "Made: $package ($(du -k "$package" | cut -f1) KiB)."
