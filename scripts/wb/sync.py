# SPDX-License-Identifier: GPL-2.0-only
"""Keep patches/, the files in the checkout and the commits of make edit equal.

An edit of a file goes into the patch that owns the edited lines. It is carried
through the later commits line by line, with git blame telling which line is
which, so that there is nothing to merge and nothing to conflict.
"""
import difflib
import os
import pathlib
import re
import shutil
import tempfile
import time

from . import core, proofs, series
from .core import Failure
from .series import BASE, MAINTAINERS, SERIES, Git, Side

PROOFS = "kunit/proofs"
TEMPLATE = "(Say what happens today and to whom, why, what the patch does, how it was tested.)"


# -------------------------------------------------------- which side changed

def work_dir(root):
    """Where a series keeps what is not committed; there is one build/ in the checkout."""
    return core.BUILD / root.name if root.parent == core.ROOT else root / "build"


def synced_dir(root):
    return work_dir(root) / "synced"


def remember(root, side):
    """Note what both sides hold now that they are equal."""
    store = synced_dir(root)
    shutil.rmtree(store, ignore_errors=True)
    series.write_files(store / "patches", side.patches)
    series.write_files(store / "kunit", {"proofs": side.proofs})
    write_tree(store, side.files)


def write_tree(root, files):
    """Write what differs; the rest keeps its mtime."""
    for path, (mode, body) in files.items():
        target = root / path
        if target.is_file() and (series.mode(target), target.read_bytes()) == (mode, body):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        target.chmod(int(mode, 8) & 0o777)


def in_head(root):
    """Both sides as the checkout's last commit has them; None without one."""
    git = Git(root / ".git")
    if not (root / ".git").exists() or not git.has("HEAD"):
        return None
    held = {path: entry for path, entry in git.listing("HEAD").items()
            if re.match(r"patches/[0-9].*\.patch$", path) or path in (MAINTAINERS, PROOFS)
            or path.split("/")[0] in series.SOURCE_DIRS}
    bodies = git.contents(name for _, name in held.values())
    files = {path: (mode, bodies[name]) for path, (mode, name) in held.items()}
    proofs_then = files.pop(PROOFS, ("", b""))[1]
    return Side({path.split("/")[1]: files.pop(path)[1] for path in list(files)
                 if path.startswith("patches/")}, files, proofs_then)


def last_synced(root):
    """States in which both sides were equal, most trusted first."""
    if synced_dir(root).exists():
        yield series.on_disk(synced_dir(root))
    head = in_head(root)
    if head:
        yield head


def changed_side(root, now):
    """"tree" or "patches"; a Failure that shows the edits if it is not one of them."""
    states = list(last_synced(root))
    for before in states:
        same = (before.patches == now.patches, before.files == now.files)
        if any(same) and not all(same):
            return "tree" if same[0] else "patches"
    if not now.files:
        return "patches"
    raise Failure("patches and tree differ, and it is not so that just one of them was edited\n"
                  "  undo one side, or say which one to keep: make sync FROM=tree, or "
                  "make sync FROM=patches"
                  + "".join(listed("patches were edited:", before.patches, now.patches)
                            + listed("the tree was edited:", before.files, now.files)
                            for before in states[:1]))


def listed(title, old, new, limit=60):
    rows = []
    for path in sorted({*old, *new}):
        a, b = (text_of(side.get(path)) for side in (old, new))
        rows += difflib.unified_diff(a, b, f"a/{path}", f"b/{path}", lineterm="", n=1)
    more = [f"... {len(rows) - limit} more lines"] if len(rows) > limit else []
    return "".join(f"\n  | {row}" for row in [title, *rows[:limit], *more]) if rows else ""


def text_of(entry):
    body = entry[1] if isinstance(entry, tuple) else entry or b""
    return body.decode(errors="replace").splitlines()


# ---------------------------------------------------------------------- sync

def sync(tree, root=core.ROOT, patch="", subject="", keep=""):
    """Fold the side that was edited into the other one; what was done, in words.

    @patch takes new files and all edits ("new": one more patch with @subject);
    @keep is the side to trust when both were edited.
    """
    need_pinned(tree, root)
    if keep not in ("", "tree", "patches"):
        raise Failure(f"FROM={keep} is neither tree nor patches")
    edit = Edit(root)
    if edit.has_work():
        return collect(tree, root, edit)
    git = series.build(tree, root)
    now, want = series.on_disk(root), series.projection(git)
    if now.files == want:
        store(tree, root, series.export(git), want)
        return "patches and tree agree"
    side = keep or changed_side(root, now)
    if side == "tree":
        tip = fold(tree, root, want, now.files, patch, subject)
        store(tree, root, series.export(git, BASE, tip), want, now.files)
        return "patches/ has the tree's edits now"
    owned = {path for state in last_synced(root) for path in state.files}
    store(tree, root, series.export(git), owned)
    return "the tree follows patches/"


def need_pinned(tree, root):
    if tree.name != series.pinned(root):
        raise Failure(f"the series is kept on the pinned base {series.pinned(root)}, not on "
                      f"{tree.name}; make rebase changes the base")


def need_agreement(tree, root):
    """The sparse repository; a Failure if the checkout has edits to sync first."""
    git = series.build(tree, root)
    if series.on_disk(root).files != series.projection(git):
        raise Failure("patches and tree differ: run make sync first")
    return git


def store(tree, root, mails, owned, expected=None):
    """Put a series into patches/ and project it; nothing is written if it is not sound.

    Files of the tree that are in @owned and in no patch any more go away.
    """
    git = series.repository(tree)
    base = series.base_commit(tree, mails)
    tip = series.apply_mail(git, base, mails)
    if expected is not None:
        wrong = [path for path, entry in series.projection(git, base, tip).items()
                 if path != MAINTAINERS and expected.get(path) != entry]
        if wrong:
            raise Failure(f"the edits of {', '.join(wrong)} do not survive as mail")
    files, mails = series.projection(git, base, tip), series.export(git, base, tip)
    write_patches(root, mails)
    held = git.listing(base)
    series.write_blobs(root, tree.name,
                       {path: held[path][1] for path in series.touched_by(mails)[0]})
    series.built(tree, mails, base, tip)
    project(root, files, owned)
    now = series.on_disk(root)
    unowned = sorted(set(now.files) - set(files))
    if unowned:
        raise Failure(f"no patch owns {', '.join(unowned)}: remove it, or give it to one with "
                      "make sync PATCH=0007 (PATCH=new SUBJECT=... for a patch of its own)")
    remember(root, now)


def write_patches(root, mails):
    now = series.on_disk(root)
    for name, body in mails.items():
        if now.patches.get(name) != body:
            print(f"  {'rewrote' if name in now.patches else 'wrote'} patches/{name}")
            (root / "patches" / name).write_bytes(body)
    for name in sorted(set(now.patches) - set(mails)):
        print(f"  removed patches/{name}")
        (root / "patches" / name).unlink()
    before = next(last_synced(root), now)
    if set(before.patches) != set(now.patches) and before.proofs != now.proofs:
        before = now        # whoever renamed patches has looked after the lines too
    renumber_proofs(root, sorted(before.patches), sorted(mails))


def renumber_proofs(root, old, new):
    """Let the lines of kunit/proofs follow their patches to new numbers."""
    path = root / PROOFS
    slugs = {name[5:]: name[:4] for name in new}
    numbers = {name[:4]: slugs.get(name[5:]) for name in old}
    left = set(slugs.values()) - set(numbers.values())
    for number, became in numbers.items():
        if became is None and number in left:       # only the subject changed
            numbers[number] = number
    if not path.exists() or all(a == b for a, b in numbers.items()):
        return

    def renumbered(line):
        words = line.split()
        if len(words) > 1 and numbers.get(words[1], "") is None:
            print(f"  kunit/proofs: dropped {line.strip()!r}, its patch is gone")
            return ""
        return re.sub(r"(^\w+\s+|\btest=)(\d{4})\b",
                      lambda m: m[1] + (numbers.get(m[2]) or m[2]), line)
    path.write_text("".join(map(renumbered, path.read_text().splitlines(keepends=True))))
    print("  renumbered kunit/proofs")


def project(root, files, owned):
    write_tree(root, files)
    for path in set(owned) - set(files):
        (root / path).unlink(missing_ok=True)
        for parent in pathlib.Path(path).parents[:-1]:
            if (root / parent).is_dir() and not any((root / parent).iterdir()):
                (root / parent).rmdir()


# ---------------------------------------------------------------------- fold

def fold(tree, root, want, now, patch="", subject=""):
    """The last commit of a series that projects to @now instead of @want."""
    git = Git(tree.git_dir)
    chain = git.lines("rev-list", "--reverse", f"{BASE}..{SERIES}")
    first = named_patch(root, patch)
    if patch == "new":
        chain.append(new_commit(git, root, chain[-1] if chain else BASE, subject))
    held = [git.listing(commit) for commit in chain]
    changed = [path for path in sorted({*want, *now}) if want.get(path) != now.get(path)]
    refuse_foreign(tree, git, changed, now, want, patch)
    for path in changed:
        here = [number for number, files in enumerate(held) if path in files]
        if path == MAINTAINERS:
            body = kernel_maintainers(git, want.get(path), now.get(path))
            texts, mode = carry(git, chain, here, path, body, first), "100644"
        elif path not in now:
            for number in here:
                del held[number][path]
            continue
        else:
            mode, body = now[path]
            if path in want:
                texts = carry(git, chain, here, path, body, first)
            else:
                texts = {number: body for number in range(first, len(chain))}
        for number in {*here, *texts}:
            blob = git.hash(texts[number]) if number in texts else held[number][path][1]
            held[number][path] = (mode, blob)
    return rewrite(git, chain, held)


def named_patch(root, patch):
    """The place in the series that PATCH names, 0 if it is not given."""
    names = [path.name for path in series.patches(root)]
    if patch == "new":
        return len(names)
    if not patch:
        return 0
    found = [n for n, name in enumerate(names) if name.startswith(patch.zfill(4))]
    if len(found) != 1:
        raise Failure(f"PATCH={patch} is no patch; the series has {', '.join(names) or 'none'}")
    return found[0]


def refuse_foreign(tree, git, changed, now, want, patch):
    new = [path for path in changed if path not in want and path != MAINTAINERS]
    upstream = [path for path in new if series.is_upstream(tree, git, path)]
    if upstream:
        raise Failure(f"{', '.join(upstream)} is a file of the kernel itself: change it with "
                      "make edit; the checkout holds only what the series adds")
    if new and not patch:
        raise Failure(f"no patch owns {', '.join(new)}: make sync PATCH=0007 adds it to that "
                      "patch, PATCH=new SUBJECT=... to one of its own")


def new_commit(git, root, parent, subject):
    if not subject:
        raise Failure("PATCH=new needs SUBJECT='subsystem: Do this'")
    name, _, mail = series.identity(root).rpartition(" <")
    message = f"{subject}\n\n{TEMPLATE}\n\nAssisted-by: LLM\n"
    return git("commit-tree", f"{parent}^{{tree}}", "-p", parent, stdin=message.encode(),
               GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=mail.rstrip(">"),
               GIT_AUTHOR_DATE=f"{int(time.time())} +0000")


def carry(git, chain, here, path, body, first):
    """{commit number: text} of @path with the edit, in the commits that have it.

    A hunk goes to the earliest patch from which on the lines that it replaces
    (or stands between) exist and stand together; to none before @first.
    """
    last = here[-1]
    new = series.split_lines(body)
    lines = {n: blame(git, chain[n], path) for n in here}
    texts = {n: series.split_lines(git.raw("cat-file", "blob", f"{chain[n]}:{path}"))
             for n in here}
    edits = series.hunks(git, f"{chain[last]}:{path}", git.hash(body))
    for start, count, new_start, new_count in reversed(edits):
        for number in reversed([n for n in here if n >= min(first, last)]):
            at = place(lines[number], lines[last], start, count)
            if at is None:
                break
            texts[number][at:at + count] = new[new_start:new_start + new_count]
    return {n: b"".join(text) for n, text in texts.items()}


def place(lines, final, start, count):
    """Where the hunk of the @final text begins in an earlier one, None if nowhere."""
    if count:
        touched = final[start:start + count]
    else:
        touched = final[max(start - 1, 0):start + 1]
    known = {line: at for at, line in enumerate(lines)}
    at = [known.get(line) for line in touched]
    if None in at or at != list(range(at[0], at[0] + len(at)) if at else []):
        return None
    if count:
        return at[0]
    if not final:
        return None if lines else 0
    if start == 0:
        return 0 if at[0] == 0 else None
    if start == len(final):
        return len(lines) if at[0] == len(lines) - 1 else None
    return at[1]


def blame(git, commit, path):
    """Every line's identity: the commit that brought it, its number there."""
    out = git("blame", "--incremental", commit, "--", path)
    lines = {}
    for owner, there, here, count in re.findall(r"^(\w{40}) (\d+) (\d+) (\d+)$", out, re.M):
        for n in range(int(count)):
            lines[int(here) + n] = (owner, int(there) + n)
    return [lines[n] for n in sorted(lines)]


def kernel_maintainers(git, old, new):
    """The kernel's MAINTAINERS with our lines edited as in the checkout's."""
    where = series.maintainers_lines(git)
    if not where:
        raise Failure("the series has no MAINTAINERS entry yet; add it with make edit, so that "
                      "it gets its alphabetical place")
    text = series.split_lines(git.raw("cat-file", "blob", f"{SERIES}:{MAINTAINERS}"))
    old, new = (series.split_lines(side[1] if side else b"") for side in (old, new))
    match = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in reversed(match.get_opcodes()):
        if tag == "insert":
            at = where[a - 1] + 1 if a else where[0]
            text[at:at] = new[c:d]
        elif tag != "equal":
            for line in reversed(where[a + 1:b]):
                del text[line]
            text[where[a]:where[a] + 1] = new[c:d]
    return b"".join(text)


def rewrite(git, chain, listings):
    """The same commits with other trees; one that changes nothing any more is left out."""
    parent, parent_tree = git("rev-parse", BASE), git("rev-parse", f"{BASE}^{{tree}}")
    for commit, listing in zip(chain, listings):
        tree = git.tree_of(listing)
        if tree == parent_tree:
            print(f"  nothing is left of: {git('log', '-1', '--format=%s', commit)}")
            continue
        head, _, message = git.raw("cat-file", "commit", commit).partition(b"\n\n")
        kept = [row for row in head.split(b"\n") if not row.startswith((b"tree ", b"parent "))]
        top = [f"tree {tree}".encode(), f"parent {parent}".encode()]
        parent = git.hash(b"\n".join(top + kept) + b"\n\n" + message, "commit")
        parent_tree = tree
    return parent


# ---------------------------------------------------------------------- edit

class Edit:
    """build/edit: the series as commits in a complete kernel tree of its own."""

    def __init__(self, root):
        self.dir = work_dir(root) / "edit"
        self.git = Git(self.dir / ".git", self.dir)
        self.record = self.dir / ".git/series.json"
        self.state = core.read_json(self.record)

    def exists(self):
        return bool(self.state)

    def busy(self):
        return any((self.dir / ".git" / name).exists() for name in ("rebase-apply", "rebase-merge"))

    def dirty(self):
        return self.git.lines("status", "--porcelain")

    def head(self):
        return self.git("rev-parse", "HEAD")

    def has_work(self):
        return self.exists() and (self.busy() or self.head() != self.state["head"]
                                  or bool(self.dirty()))

    def note(self, tree, root, head):
        self.state = {"base": tree.name, "head": head, "patches": patches_key(root)}
        core.write_json(self.record, self.state)

    def need_finished(self, then):
        if self.busy():
            raise Failure("build/edit is in the middle of a git am or rebase: finish it there "
                          f"(git status says how), then {then}")
        if self.dirty():
            raise Failure("build/edit has changes that are not committed: commit them there "
                          f"(git commit --fixup, --amend), then {then}\n"
                          + "\n".join(f"  | {row}" for row in self.dirty()[:15]))
        if self.git("rev-list", "--merges", f"{BASE}..HEAD"):
            raise Failure("build/edit has a merge commit, which no patch can hold")
        if self.git("merge-base", BASE, "HEAD") != self.git("rev-parse", f"{BASE}^{{commit}}"):
            raise Failure("the commits of build/edit do not stand on the tag base")


def patches_key(root):
    return core.digest(sorted(series.patch_set(root).items()))


def open_edit(tree, root=core.ROOT):
    """make edit: the directory in which the commits wait for git rebase -i."""
    need_pinned(tree, root)
    edit = Edit(root)
    if edit.has_work():
        raise Failure("build/edit has work that is not in patches/ yet: make sync collects it; "
                      "to give it up, remove build/edit")
    need_agreement(tree, root)
    fill_edit(tree, root, edit)
    print("The series is the branch series in {0}, upstream the tag base. Edit with\n"
          "  cd {0} && git rebase -i base\n"
          "any file there, then run make sync in the checkout.".format(core.shown(edit.dir)))
    return edit.dir


def fill_edit(tree, root, edit, three_way=None):
    """Give build/edit the patches of now, on this base."""
    if edit.exists() and (edit.state["base"], edit.state["patches"]) == (
            tree.name, patches_key(root)):
        return
    if not edit.exists() or edit.state["base"] != tree.name:
        with core.phase(f"copying {core.shown(tree.dir)} to build/edit"):
            copy_tree(tree, edit.dir)
    git = edit.git
    git("checkout", "-q", "-f", "-B", "series", BASE)
    if three_way:
        git("fetch", "-q", "--no-tags", three_way.git_dir, f"+{SERIES}:refs/pinned")
    edit.note(tree, root, git("rev-parse", "HEAD"))
    with tempfile.TemporaryDirectory() as tmp:
        mail = pathlib.Path(tmp)
        series.write_files(mail, series.patch_set(root))
        head = series.am(git, mail, BASE, bool(three_way)) if series.patches(root) else BASE
    edit.note(tree, root, git("rev-parse", f"{head}^{{commit}}"))


def copy_tree(tree, dest):
    """A work tree with every upstream file in the commit tagged base."""
    part = dest.with_name(dest.name + ".part")
    for old in (part, dest):
        shutil.rmtree(old, ignore_errors=True)
    series.refuse_newer(tree, untouched(tree))
    dest.parent.mkdir(parents=True, exist_ok=True)
    try:
        core.run(["cp", "-a", "--reflink=auto", tree.dir, part], what="copying the kernel tree")
        commit_base(tree, part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(dest)


def untouched(tree):
    """The kernel tree's files which are in no patch."""
    git = Git(tree.git_dir)
    known = {*git.listing(BASE), *(git.listing("HEAD") if git.has("HEAD") else ())}
    for where, _, names in os.walk(tree.dir):
        within = os.path.relpath(where, tree.dir)
        paths = (os.path.normpath(os.path.join(within, name)) for name in names)
        yield from (path for path in paths if path not in known)


def commit_base(tree, part):
    """Turn a copy of the kernel tree, patched or not, into a repository of upstream."""
    sparse = Git(tree.git_dir)
    base = sparse.listing(BASE)
    for path in set(sparse.listing("HEAD") if sparse.has("HEAD") else ()) - set(base):
        (part / path).unlink()
    bodies = sparse.contents(name for _, name in base.values())
    write_tree(part, {path: (mode, bodies[name]) for path, (mode, name) in base.items()})
    see_new_files(part / ".gitignore")
    git = Git(part / ".git", part)
    git("init", "-q", "--template=", "-b", "series")
    git("config", "gc.auto", "0")
    git("add", "-A", "-f", ".")
    git("commit", "-q", "--no-verify", "-m", f"upstream {tree.name}")
    git("update-ref", BASE, "HEAD")


def see_new_files(gitignore):
    """Debian's packagers have git ignore the whole kernel, and so what we add to it."""
    if gitignore.exists():
        lines = gitignore.read_text().splitlines(keepends=True)
        gitignore.write_text("".join(line for line in lines if line != "/*\n"))


def collect(tree, root, edit):
    """make sync after make edit: the commits of build/edit become patches/."""
    if edit.state["base"] != tree.name:
        raise Failure(f"build/edit holds a rebase onto {edit.state['base']}: finish it with "
                      f"make rebase BASE={edit.state['base']}, or remove build/edit")
    edit.need_finished("make sync")
    git = series.build(tree, root)
    now, want = series.on_disk(root), series.projection(git)
    if edit.state["patches"] != patches_key(root) or now.files != want:
        opened = series.export(edit.git, BASE, edit.state["head"])
        raise Failure("build/edit was edited, and patches or tree as well; undo one side"
                      + listed("build/edit was edited:", opened,
                               series.export(edit.git, BASE, "HEAD"))
                      + listed("patches were edited:", opened, now.patches)
                      + listed("the tree was edited:", want, now.files))
    store(tree, root, series.export(edit.git, BASE, "HEAD"), want)
    edit.note(tree, root, edit.head())
    return "patches/ and the tree have the commits of build/edit"


# -------------------------------------------------------------------- rebase

def rebase(tree, pinned, root=core.ROOT):
    """Carry the series from the @pinned base over to @tree with git am -3.

    A conflict leaves the am open in build/edit. A base of patches/BASES becomes
    the pinned one; for KSRC, which nothing can pin, the patches go to build/.
    """
    again = "make rebase " + (f"BASE={tree.name}" if tree.base else "KSRC=...")
    edit = Edit(root)
    if tree.name == pinned.name:
        return f"{tree.name} is the pinned base already"
    old = need_agreement(pinned, root)
    owned = series.projection(old)
    if edit.has_work():
        if edit.state["base"] != tree.name:
            raise Failure("build/edit has other work: make sync collects it")
        edit.need_finished(again)
        mails = series.export(edit.git, BASE, "HEAD")
    else:
        mails = rebased(tree, pinned, root, edit, again)
    if tree.base is None:
        dest = work_dir(root) / "rebased"
        shutil.rmtree(dest, ignore_errors=True)
        series.write_files(dest, mails)
        return f"{core.shown(dest)} has the series for {tree.name}; patches/ stays as it is"
    store(tree, root, mails, owned)
    if edit.exists() and edit.state["base"] == tree.name:
        edit.note(tree, root, edit.head())
    return f"patches/ stands on {tree.name} now"


def rebased(tree, pinned, root, edit, again):
    git, mails = series.repository(tree), series.patch_set(root)
    base = series.base_commit(tree, mails)
    git("fetch", "-q", "--no-tags", pinned.git_dir, f"+{SERIES}:refs/pinned")
    try:
        return series.export(git, base, series.apply_mail(git, base, mails, three_way=True))
    except Failure:
        pass
    try:
        fill_edit(tree, root, edit, three_way=pinned)
    except Failure as failure:
        failure.what += (f"\nbuild/edit waits in the middle of git am: resolve it there, git add, "
                         f"git am --continue; then {again}")
        raise
    return series.export(edit.git, BASE, "HEAD")


# -------------------------------------------------------------------- status

def status(tree, root=core.ROOT):
    """A few lines for make status."""
    entry = tree.base or {}
    rows = [("base", f"{tree.name} {entry.get('package', '')} {entry.get('version', '')}"),
            ("series", f"{len(series.patches(root))} patches, {applied_words(tree, root)}"),
            ("tree", agreement_words(tree, root)),
            ("edit", edit_words(root))]
    known = proofs.read(root / "kunit/proofs")
    rows.append(("proofs", f"{len(known)} lines for {len(series.patches(root))} patches"))
    for report in sorted((root / "build/report").glob("*.json"), key=os.path.getmtime)[-3:]:
        results = core.read_json(report)
        if not isinstance(results, list):
            continue
        count = {word: sum(row["status"] == word for row in results)
                 for word in ("passed", "failed", "skipped")}
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(report.stat().st_mtime))
        rows.append((report.stem, ", ".join(f"{n} {w}" for w, n in count.items()) + f", {when}"))
    for name, text in rows:
        print(f"{name:12} {text}".rstrip())


def applied_words(tree, root):
    if not tree.dir.exists():
        return "the kernel tree is not there yet (make fetch)"
    git = series.build(tree, root)
    if git.has("HEAD") and not git("diff-tree", "HEAD", SERIES):
        by_hand = series.edited(tree)
        return (f"applied in {core.shown(tree.dir)}"
                + (f", edited by hand: {', '.join(by_hand)}" if by_hand else ""))
    return f"not applied in {core.shown(tree.dir)} (make apply)"


def agreement_words(tree, root):
    if not tree.dir.exists():
        return "unknown without the kernel tree"
    now = series.on_disk(root)
    if now.files == series.projection(series.build(tree, root)):
        return "agrees with patches/"
    try:
        return f"differs: {changed_side(root, now)} edited (make sync)"
    except Failure:
        return "differs, patches and tree both edited (make sync shows it)"


def edit_words(root):
    edit = Edit(root)
    if not edit.exists():
        return "not open"
    if edit.has_work():
        return "build/edit has work to collect (make sync)"
    same = edit.state["patches"] == patches_key(root)
    return "build/edit is open" if same else "build/edit is older than patches/ (make edit)"
