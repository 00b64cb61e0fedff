"""Inputs for scripts/bench's `judge`: what is run every day, and what is built to take long."""

import json
import pathlib
import re
import shlex

CORPORA = pathlib.Path(__file__).resolve().parent.parent / "tests/corpora"
KIB = 1024


def commands():
    """The texts of the corpora."""
    lines = (line for file in sorted(CORPORA.glob("*.jsonl")) for line in file.read_text().splitlines())
    return [json.loads(line)["cmd"] for line in lines]


def argvs():
    """Those that are one simple command, as their words."""
    plain = (text for text in commands() if not re.search(r"[|&;<>()$`{}*?\[\]\n#!~]", text))
    words = (shlex.split(text) for text in plain if text.count("'") % 2 == 0 and text.count('"') % 2 == 0)
    return [argv for argv in words if argv and "=" not in argv[0]]


def texts():
    """Scripts of about one KiB: commands of the corpora, one after the other."""
    scripts, script = [], ""
    for text in commands():
        if len(text) < KIB // 2:
            script += text + "\n"
        if len(script) > KIB - 64:
            scripts.append(script)
            script = ""
    return scripts


def built():
    """What a hostile workload might try, as texts of up to 64 KiB."""
    nested = "$(", "((", "[[", '"', "`", "<", "$", "${", "$((1+", "case x in ", "{", "<(", "\\\n", "if x; then "
    repeated = [
        "a;", "a|", "a&", "\n", "{a,b}", "$(x) ", "${a//b/c}", "a=$a$a;", "export A=b;", 'trap "trap x" x;', "cat <<A\nx\nA\n",
        "f(){ f; f; }; f;", "a(){ b; }; b(){ a; };", "bash -c 'x';", "eval ", "sudo ", "rm ../", "echo $(x);", "x<<<y;", "for i in 1 2; do x; done;",
    ]
    programs = [
        "python3 -c", "node -e", "perl -e", "ruby -e", "php -r", "awk", "psql -c", "mysql -e", "curl -d", "git commit -m", "docker run",
        "kubectl", "aws", "sh -c", "ssh h", "xargs", "find . -exec", "openssl", "npm run", "sudo", "env -S", "tar", "rm -rf", "git -c alias.x=",
    ]
    words = ["a", "os.system /home rm eval exec open ", "exec(", "a=b ", "drop table ", "/etc/", "../", "https://x.io/", "-", "--a=", "*", "\\", "b64"]
    most = 60_000
    for part in nested:
        yield part * (most // len(part))
        yield f"echo {part * 200}"
    for part in repeated:
        yield part * (most // len(part))
        yield part * 200 + "x"
    for program in programs:
        for word in words:
            body = (word * most)[:most]
            yield f"{program} '{body}'"
            yield f"{program} {' '.join(body[at : at + 20] for at in range(0, most, 20)).replace('(', '')}"
    yield "".join(f"a{n}=$a{n - 1}$a{n - 1};" for n in range(1, 200)) + "echo $a199"
    yield "a=" + "a" * 4000 + ";" + "echo ${a%%*b*b*b*b*b*b*b};" * 50
    yield "echo " + "A" * most + "|base64 -d|sh"
    yield "for a in 1 2 3 4 5 6 7 8; do " * 10 + "x" + "; done" * 10
    yield "echo " + "a " * 10_000 + "|xargs xargs xargs rm"
    yield "find " + "/a " * 10_000 + "-exec rm {} ;"
