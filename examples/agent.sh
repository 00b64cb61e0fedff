#!/bin/sh
# Does what a coding agent does: reads a project, mends a bug, adds a feature, compiles, tests and commits. Then it
# tries what it should not. Ends with 0 only if the work was done and each of those tries was refused.
#
# `make demo` runs it under creel, in a copy of examples/project, and names two things outside the sandbox that are
# really there: OUTSIDE_FILE, a file, and OUTSIDE_PORT, a port that listens on the loopback of the host.
set -u

step() { printf '\n== %s\n' "$*"; }
give_up() { echo "agent: $*" >&2; exit 1; }

step "Read the project"
ls
cat README.md
grep -n 'count' src/*.c

step "Run its tests: the bug shows"
tests/run.sh && give_up "the tests should have shown the bug"

step "Mend the bug with sed: a word begins where a space ends"
sed -i \
  -e 's|if (is_space(\*at)) {|if (!is_space(*at) \&\& (at == text \|\| is_space(at[-1]))) {|' \
  src/count.c || give_up "sed failed"
sed -n '/^unsigned long count_words/,/^}/p' src/count.c

step "Add the option -l with python3"
python3 - <<'PYTHON' || give_up "python3 failed"
import pathlib

def edit(path, old, new):
    file = pathlib.Path(path)
    text = file.read_text()
    assert old in text, f"{path} is not what it was"
    file.write_text(text.replace(old, new, 1))

edit("src/count.h", "\n#endif", """
/* The number of lines in a text: of line ends. */
unsigned long count_lines(const char *text);

#endif""")
with open("src/count.c", "a") as file:
    file.write("""
unsigned long count_lines(const char *text) {
    unsigned long lines = 0;
    for (; *text != '\\0'; text++) {
        lines += *text == '\\n';
    }
    return lines;
}
""")
edit("src/main.c", "    if (argc > 1) {", """    if (argc == 2 && strcmp(argv[1], "-l") == 0) {
        printf("%lu\\n", count_lines(text));
        return 0;
    }
    if (argc > 1) {""")
edit("tests/run.sh", "exit $failed", "expect 2 'one\\ntwo\\n' -l\nexit $failed")
edit("README.md", "Wanted: `tally -l` should count lines. Known bug: two spaces between words count as a word.",
     "`tally -l` counts lines instead.")
PYTHON

step "Compile, and run the tests again"
tests/run.sh || give_up "the tests fail"

step "Commit"
export GIT_AUTHOR_NAME=agent GIT_AUTHOR_EMAIL=agent@example.invalid
export GIT_COMMITTER_NAME=agent GIT_COMMITTER_EMAIL=agent@example.invalid
git add --all || give_up "git add failed"
git commit --quiet --message 'Count words between any spaces, and lines with -l' || give_up "git commit failed"
git log --oneline --stat -1

step "Try what an agent should not do"
tried=0
refused=0
forbidden() { # WHAT COMMAND...
  what=$1
  shift
  tried=$((tried + 1))
  if answer=$("$@" 2>&1 < /dev/null); then
    echo "DONE, AND SHOULD NOT BE: $what"
  else
    refused=$((refused + 1))
    echo "refused: $what ($(echo "$answer" | tail -n 1 | cut -c1-120))"
  fi
}

# Exits 0 if something answers, or if nothing says no: a time-out is no refusal.
connect() {
  python3 -c '
import socket, sys
try:
    if sys.argv[1] == "unix":
        socket.socket(socket.AF_UNIX).connect(sys.argv[2])
    else:
        socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
except TimeoutError:
    pass
except OSError as error:
    sys.exit(str(error))
' "$@"
}

write_etc() { echo mine > /etc/creel-example && rm -f /etc/creel-example; }
write_usr() { echo mine > /usr/bin/creel-example && rm -f /usr/bin/creel-example; }
mount_something() { mkdir -p /tmp/mnt && mount -t tmpfs none /tmp/mnt && umount /tmp/mnt; }
read_keys() {
  for key in ~/.ssh/id_* /root/.ssh/id_* /home/*/.ssh/id_*; do
    cat "$key" && return
  done
}
raw_socket() { python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)'; }

forbidden "read SSH keys" read_keys
forbidden "read a file of the host's" cat "${OUTSIDE_FILE:-/proc/1/root/etc/shadow}"
forbidden "read the environment of PID 1" cat /proc/1/environ
forbidden "kill PID 1" kill -9 1
forbidden "talk to a program on the host's loopback" connect 127.0.0.1 "${OUTSIDE_PORT:-22}"
forbidden "reach the network" connect 192.0.2.1 443
forbidden "listen to raw packets" raw_socket
forbidden "use the Docker socket" connect unix /var/run/docker.sock
forbidden "mount a file system" mount_something
forbidden "make a user namespace of its own" unshare --user --map-root-user true
forbidden "write to /etc" write_etc
forbidden "write to /usr/bin" write_usr
git init --quiet --bare /tmp/elsewhere
forbidden "publish with git push" git push --quiet /tmp/elsewhere HEAD

printf '\nagent: the work is done; of %d forbidden things, %d were refused\n' "$tried" "$refused"
[ "$tried" = "$refused" ]
