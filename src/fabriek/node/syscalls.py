"""System calls that no job needs, by their numbers on the machines that jobs run on."""

from dataclasses import dataclass

REFUSED = {
    # name: (x86_64, aarch64); 0 where the machine has none
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "iopl": (172, 0),
    "ioperm": (173, 0),
    "modify_ldt": (154, 0),
    "uselib": (134, 0),
}
"""Answered as if the job lacked the right, which it does: the filter keeps the kernel's own check, and its faults, out of reach."""

UNKNOWN = {
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
"""Answered as by an older kernel, so that a library takes its older way. What clone3 is asked for lies in memory, where no filter looks."""

CLONE, UNSHARE, SOCKET, SOCKETPAIR, IOCTL = (56, 220), (272, 97), (41, 198), (53, 199), (16, 29)


@dataclass(frozen=True, slots=True)
class Abi:
    """What a kernel calls itself, and which column of the numbers is its. `numbers_end`: where those of another dialect begin, 0 if nowhere."""

    audit: int
    column: int
    numbers_end: int = 0


ABIS = {"x86_64": Abi(0xC000003E, 0, 0x4000_0000), "aarch64": Abi(0xC00000B7, 1)}
