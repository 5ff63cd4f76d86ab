# The same for every board: which system slot starts, and how often one that never became good is tried.
# board.txt beside this file says what differs; slots.env is the small checksummed memory that RAUC writes as well.
if load ${devtype} ${devnum}:1 ${scriptaddr} board.txt; then env import -t ${scriptaddr} ${filesize} console tandem_fdt; fi
if load ${devtype} ${devnum}:1 ${scriptaddr} slots.env; then env import -c ${scriptaddr} 0x4000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3
setenv slot
for s in ${BOOT_ORDER}; do
  if test -n "${slot}"; then
    true
  elif test "${s}" = "A" && test ${BOOT_A_LEFT} -gt 0; then
    setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; setenv slot A; setenv bp 2; setenv root root-a
  elif test "${s}" = "B" && test ${BOOT_B_LEFT} -gt 0; then
    setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; setenv slot B; setenv bp 4; setenv root root-b
  fi
done
if test -z "${slot}"; then
  echo "tandem: no slot has a try left; both get three"
  setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3
  env export -c -s 0x4000 ${scriptaddr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
  fatwrite ${devtype} ${devnum}:1 ${scriptaddr} slots.env 0x4000
  reset
fi
env export -c -s 0x4000 ${scriptaddr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fatwrite ${devtype} ${devnum}:1 ${scriptaddr} slots.env 0x4000
echo "tandem: slot ${slot}, tries left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT}"
setenv bootargs "root=PARTLABEL=${root} rootfstype=squashfs ro rootwait rauc.slot=${slot} console=${console} quiet loglevel=2 net.ifnames=0 panic=5 init=/usr/lib/systemd/systemd"
if test "${tandem_fdt}" = "control"; then setenv fdtuse ${fdtcontroladdr}; else setenv fdtuse ${fdt_addr}; fi
if load ${devtype} ${devnum}:${bp} ${kernel_addr_r} vmlinuz && load ${devtype} ${devnum}:${bp} ${ramdisk_addr_r} initrd.img; then
  booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtuse}
fi
echo "tandem: slot ${slot} does not start"
reset
