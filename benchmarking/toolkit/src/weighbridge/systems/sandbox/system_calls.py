"""The system calls that a measured model must not use, with their numbers on x86-64 and 64-bit Arm.

The numbers never change: `asm/unistd_64.h` for x86-64, `asm-generic/unistd.h` for 64-bit Arm. Each
entry reads `name:x86-64:arm64`, with a dash if the processor has no such call.
"""

import dataclasses

NEWEST = 462  # mseal, Linux 6.10; later calls return ENOSYS

_REFUSED = """
fork:57:- vfork:58:- execve:59:221 execveat:322:281 setsid:112:157 setpgid:109:154 ptrace:101:117
process_vm_readv:310:270 process_vm_writev:311:271 pidfd_open:434:434 pidfd_getfd:438:438 pidfd_send_signal:424:424
rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240 tkill:200:130 kcmp:312:272 process_madvise:440:440
process_mrelease:448:448 setpriority:141:140 ioprio_set:251:30 setrlimit:160:164 migrate_pages:256:238
move_pages:279:239 sched_setparam:142:118 sched_setscheduler:144:119 sched_setattr:314:274

socket:41:198 socketpair:53:199 connect:42:203 bind:49:200 listen:50:201 accept:43:202 accept4:288:242 sendto:44:206
sendmsg:46:211 sendmmsg:307:269 io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427

memfd_create:319:279 memfd_secret:447:447 shmget:29:194 shmat:30:196 shmctl:31:195 msgget:68:186 msgsnd:69:189
semget:64:190 mq_open:240:180 mq_unlink:241:181

unshare:272:97 setns:308:268 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51 open_tree:428:428
move_mount:429:429 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433 mount_setattr:442:442 swapon:167:224
swapoff:168:225 reboot:169:142 init_module:175:105 finit_module:313:273 delete_module:176:106 kexec_load:246:104
kexec_file_load:320:294 bpf:321:280 perf_event_open:298:241 keyctl:250:219 add_key:248:217 request_key:249:218
userfaultfd:323:282 open_by_handle_at:304:265 name_to_handle_at:303:264 quotactl:179:60 quotactl_fd:443:443 acct:163:89
settimeofday:164:170 clock_settime:227:112 adjtimex:159:171 clock_adjtime:305:266 sethostname:170:161
setdomainname:171:162 iopl:172:- ioperm:173:- personality:135:92 fanotify_init:300:262 syslog:103:116 capset:126:91
setuid:105:146 setgid:106:144 setreuid:113:145 setregid:114:143 setresuid:117:147 setresgid:119:149 setgroups:116:159
setfsuid:122:151 setfsgid:123:152 vhangup:153:58 modify_ldt:154:- uselib:134:-

creat:85:- unlink:87:- unlinkat:263:35 rename:82:- renameat:264:38 renameat2:316:276 mkdir:83:- mkdirat:258:34
rmdir:84:- link:86:-
linkat:265:37 symlink:88:- symlinkat:266:36 mknod:133:- mknodat:259:33 truncate:76:45 ftruncate:77:46
fallocate:285:47 chmod:90:- fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 chown:92:- fchown:93:55 lchown:94:-
fchownat:260:54 utime:132:- utimes:235:- futimesat:261:- utimensat:280:88 setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7
removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16
"""
# A filter cannot read arguments in memory, so these return ENOSYS and the C library uses the older call.
_MISSING = "clone3:435:435 openat2:437:437"
# Allowed or refused by their arguments; see `seccomp`.
_CONDITIONAL = (
    "clone:56:220 kill:62:129 tgkill:234:131 prlimit64:302:261 prctl:157:167 open:2:- openat:257:56 mmap:9:222"
)


@dataclasses.dataclass(frozen=True)
class Processor:
    """The audit architecture of a processor, and its system call numbers."""

    audit_arch: int
    seccomp: int
    refused: tuple[int, ...]
    missing: tuple[int, ...]
    conditional: dict[str, int]


def _numbers(table: str, column: int) -> dict[str, int]:
    rows = [entry.split(":") for entry in table.split()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _processor(audit_arch: int, seccomp: int, column: int) -> Processor:
    refused, missing = _numbers(_REFUSED, column), _numbers(_MISSING, column)
    return Processor(
        audit_arch, seccomp, tuple(refused.values()), tuple(missing.values()), _numbers(_CONDITIONAL, column)
    )


PROCESSORS = {
    "x86_64": _processor(0xC000_003E, 317, 1),
    "aarch64": _processor(0xC000_00B7, 277, 2),
}
