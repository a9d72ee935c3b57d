//! The public interface, read from the source: it is what `tests/api/bptt.rs` says, and every item
//! of it has an example that runs as a doc test. (Fields and variants are in the example of their
//! type; modules and implementations of traits need none.)
//!
//! The snapshot is a stub of the crate, `pub` items without bodies. A change of the interface is a
//! change of that file, to be seen in review; where it takes something away, the next version is a
//! new minor version (before 1.0) or major one. To write it:
//!
//! ```sh
//! BPTT_WRITE_API=1 cargo test --test api
//! ```
//!
//! It is read with a parser and not from rustdoc's JSON, because that comes from nightly compilers
//! alone and changes its format with them. Derived traits stand in their attributes.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::{env, fs};

use syn::{
    Attribute, Block, Expr, ExprLit, Fields, FnArg, ImplItem, Item, ItemImpl, ItemMacro as Stamp,
    ItemTrait, Lit, Meta, Pat, Stmt, TraitItem, Type, UseTree, Visibility, parse_quote,
};

/// A source file and the items in it.
struct Module {
    name: String,
    items: Vec<Item>,
    impls: Vec<ItemImpl>,
}

fn read(name: &str) -> Module {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (file, room) = (source.join(format!("{name}.rs")), source.join(name));
    let path = if file.exists() {
        file
    } else {
        room.join("mod.rs")
    };
    let source = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = syn::parse_file(&source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut items, mut impls) = (vec![], vec![]);
    for item in expand(file.items) {
        match item {
            Item::Impl(item) => impls.push(item),
            // A room hands on what stands in one of its files.
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) && room.is_dir() => {
                let UseTree::Path(path) = &item.tree else {
                    panic!("pub use of a single name")
                };
                let from = read(&format!("{name}/{}", path.ident));
                let wanted = used(&path.tree);
                let stamped = |item: &Item| matches!(item, Item::Macro(i) if i.ident.is_none());
                let found = |item: &Item| wanted.contains(&self::name(item)) || stamped(item);
                items.extend(from.items.into_iter().filter(found));
                impls.extend(from.impls);
            }
            item => items.push(item),
        }
    }
    Module {
        name: name.into(),
        items,
        impls,
    }
}

/// The items with those that come from a macro of one arm in the same file, and those in `const _:
/// () = { … }`. A macro with repetitions is not expanded, nor is one whose arguments have commas in
/// them: its name and what it is given stay.
fn expand(items: Vec<Item>) -> Vec<Item> {
    let (mut all, mut macros) = (vec![], HashMap::new());
    for item in items {
        match item {
            Item::Macro(stamp) if stamp.ident.is_some() && repeats(&stamp) => {
                all.push(Item::Macro(stamp));
            }
            Item::Macro(Stamp {
                ident: Some(name),
                mac,
                ..
            }) => {
                let text = mac.tokens.to_string().replace("$ ", "$");
                let (parameters, body) = text.split_once("=>").unwrap();
                let parameters: Vec<String> = parameters
                    .split('$')
                    .skip(1)
                    .map(|p| p.split(':').next().unwrap().trim().into())
                    .collect();
                let body = body.trim().trim_end_matches(';').trim();
                let body = body
                    .strip_prefix('{')
                    .and_then(|b| b.strip_suffix('}'))
                    .unwrap();
                macros.insert(name.to_string(), (parameters, body.to_string()));
            }
            Item::Macro(Stamp { mac, .. }) if mac.path.is_ident("compile_error") => {}
            Item::Macro(stamp) => {
                let name = stamp.mac.path.segments[0].ident.to_string();
                let Some((parameters, body)) = macros.get(&name) else {
                    all.push(Item::Macro(stamp));
                    continue;
                };
                let arguments = stamp.mac.tokens.to_string();
                let whole =
                    |a: &str| a.matches(['(', '<']).count() == a.matches([')', '>']).count();
                if !arguments.split(',').all(whole) {
                    all.push(Item::Macro(stamp));
                    continue;
                }
                let mut body = body.clone();
                for (parameter, argument) in parameters.iter().zip(arguments.split(',')) {
                    body = body.replace(&format!("${parameter}"), argument.trim());
                }
                all.extend(expand(syn::parse_file(&body).unwrap().items));
            }
            Item::Const(item) if item.ident == "_" => {
                let Expr::Block(block) = *item.expr else {
                    continue;
                };
                let items = block.block.stmts.into_iter().filter_map(|stmt| match stmt {
                    Stmt::Item(item) => Some(item),
                    _ => None,
                });
                all.extend(expand(items.collect()));
            }
            item => all.push(item),
        }
    }
    all
}

fn repeats(definition: &Stamp) -> bool {
    let text = definition.mac.tokens.to_string();
    text.replace("$ ", "$").contains("$(")
}

fn is_public(item: &Item) -> bool {
    let exported = |a: &Attribute| a.path().is_ident("macro_export");
    let vis = match item {
        Item::Macro(i) if i.ident.is_some() => {
            return i.attrs.iter().any(exported) && !is_hidden(&i.attrs);
        }
        Item::Macro(_) => return true,
        Item::Const(i) => &i.vis,
        Item::Enum(i) => &i.vis,
        Item::Fn(i) => &i.vis,
        Item::Mod(i) => &i.vis,
        Item::Static(i) => &i.vis,
        Item::Struct(i) => &i.vis,
        Item::Trait(i) => &i.vis,
        Item::Type(i) => &i.vis,
        Item::Union(i) => &i.vis,
        Item::Use(i) => &i.vis,
        _ => return false,
    };
    matches!(vis, Visibility::Public(_))
}

fn name(item: &Item) -> String {
    match item {
        Item::Const(i) => i.ident.to_string(),
        Item::Enum(i) => i.ident.to_string(),
        Item::Fn(i) => i.sig.ident.to_string(),
        Item::Macro(i) => i.ident.as_ref().map_or_else(String::new, |i| i.to_string()),
        Item::Static(i) => i.ident.to_string(),
        Item::Struct(i) => i.ident.to_string(),
        Item::Trait(i) => i.ident.to_string(),
        Item::Type(i) => i.ident.to_string(),
        Item::Union(i) => i.ident.to_string(),
        _ => String::new(),
    }
}

/// The whole crate: what can be named from outside, module by module, the root last.
fn modules() -> Vec<Module> {
    let root = read("lib");
    let (mut public, mut private, mut names) = (vec![], vec![], vec![]);
    let mut top = Module {
        name: String::new(),
        items: vec![],
        impls: vec![],
    };
    for item in &root.items {
        match item {
            Item::Mod(module) if is_public(item) => {
                public.extend(with_inner(read(&module.ident.to_string())));
            }
            Item::Mod(module) => private.push(read(&module.ident.to_string())),
            Item::Use(item) => {
                let UseTree::Path(path) = &item.tree else {
                    panic!("pub use of a single name")
                };
                let file = path.ident.to_string();
                let from = private
                    .iter_mut()
                    .find(|module| module.name == file)
                    .unwrap();
                for wanted in used(&path.tree) {
                    let at = from
                        .items
                        .iter()
                        .position(|item| name(item) == wanted)
                        .unwrap();
                    top.items.push(from.items.remove(at));
                }
            }
            Item::Struct(item) if item.ident == "Readme" => {} // carries the doc test of the README
            _ => panic!("an item in lib.rs that is neither a module nor a use"),
        }
    }
    for module in private {
        let macros = |item: &Item| matches!(item, Item::Macro(_));
        top.items.extend(module.items.into_iter().filter(macros));
        top.impls.extend(module.impls);
    }
    public.push(top);
    for module in &mut public {
        module.items.retain(is_public);
    }
    for item in public.iter().flat_map(|module| &module.items) {
        names.push(name(item));
    }
    for module in &mut public {
        module.impls.retain(|item| is_visible(item, &names));
    }
    public
}

/// The module and the public modules in it.
fn with_inner(mut module: Module) -> Vec<Module> {
    let (mut items, mut inner) = (vec![], vec![]);
    for item in module.items {
        match item {
            Item::Mod(item) if matches!(item.vis, Visibility::Public(_)) => {
                let (items, impls) = match item.content {
                    Some((_, items)) => (items, vec![]),
                    None => {
                        let file = read(&format!("{}/{}", module.name, item.ident));
                        (file.items, file.impls)
                    }
                };
                inner.extend(with_inner(Module {
                    name: format!("{}::{}", module.name, item.ident),
                    items,
                    impls,
                }));
            }
            Item::Mod(_) => {}
            item => items.push(item),
        }
    }
    module.items = items;
    let mut all = vec![module];
    all.append(&mut inner);
    all
}

/// a, and b in `{a, b}`.
fn used(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Group(group) => group.items.iter().flat_map(used).collect(),
        _ => panic!("only names and groups of names are used"),
    }
}

/// Whether an impl is for a type that can be named, and of a trait that can be.
fn is_visible(item: &ItemImpl, names: &[String]) -> bool {
    let last = |path: &syn::Path| path.segments.last().unwrap().ident.to_string();
    let of = match &*item.self_ty {
        Type::Path(path) => last(&path.path),
        Type::Array(_) => "[]".into(),
        _ => panic!("an impl for something that has no name"),
    };
    let builtin = ["f32", "f64", "[]"].contains(&of.as_str());
    let hidden = ["Sealed", "Layout", "Constants", "Bytes", "Doors"];
    let of_trait = item.trait_.as_ref().map(|(path, _)| last(path));
    (builtin || names.contains(&of)) && !of_trait.is_some_and(|name| hidden.contains(&&*name))
}

/// Documentation and hints to the compiler are no interface.
fn keep(attributes: &mut Vec<Attribute>) {
    attributes.retain(|a| !["doc", "inline"].iter().any(|name| a.path().is_ident(name)));
}

fn empty() -> Block {
    parse_quote!({})
}

/// The item without documentation, bodies and what is private.
fn stub(item: &Item) -> Item {
    let mut item = item.clone();
    match &mut item {
        Item::Const(i) => {
            keep(&mut i.attrs);
            i.expr = parse_quote!(_);
        }
        Item::Enum(i) => {
            keep(&mut i.attrs);
            for variant in &mut i.variants {
                keep(&mut variant.attrs);
                variant
                    .fields
                    .iter_mut()
                    .for_each(|field| keep(&mut field.attrs));
            }
        }
        Item::Fn(i) => {
            keep(&mut i.attrs);
            // Whether an argument is changed is the function's own business.
            for argument in &mut i.sig.inputs {
                if let FnArg::Typed(argument) = argument {
                    if let Pat::Ident(pattern) = &mut *argument.pat {
                        pattern.mutability = None;
                    }
                }
            }
            *i.block = empty();
        }
        Item::Macro(i) if i.ident.is_some() => {
            keep(&mut i.attrs);
            i.mac.tokens = Default::default();
        }
        Item::Macro(_) => {}
        Item::Struct(i) => {
            keep(&mut i.attrs);
            if i.fields
                .iter()
                .any(|field| !matches!(field.vis, Visibility::Public(_)))
            {
                i.fields = Fields::Unnamed(parse_quote!((Private)));
            }
            i.fields.iter_mut().for_each(|field| keep(&mut field.attrs));
        }
        Item::Trait(i) => stub_trait(i),
        Item::Type(i) => keep(&mut i.attrs),
        _ => panic!("{} is of a kind that has no stub", name(&item)),
    }
    item
}

fn stub_trait(item: &mut ItemTrait) {
    keep(&mut item.attrs);
    for item in &mut item.items {
        match item {
            TraitItem::Const(i) => {
                keep(&mut i.attrs);
                i.default = None;
            }
            TraitItem::Fn(i) => {
                keep(&mut i.attrs);
                i.default = i.default.as_ref().map(|_| empty());
            }
            TraitItem::Type(i) => keep(&mut i.attrs),
            _ => panic!("a trait item that has no stub"),
        }
    }
}

/// The impl without bodies and what is private; `None` where nothing is left.
fn stub_impl(item: &ItemImpl) -> Option<Item> {
    let mut item = item.clone();
    keep(&mut item.attrs);
    let of_trait = item.trait_.is_some();
    item.items.retain(|item| match item {
        ImplItem::Const(i) => !of_trait && matches!(i.vis, Visibility::Public(_)),
        ImplItem::Fn(i) => !of_trait && matches!(i.vis, Visibility::Public(_)),
        ImplItem::Type(_) => true,
        _ => panic!("an impl item that has no stub"),
    });
    for item in &mut item.items {
        match item {
            ImplItem::Const(i) => {
                keep(&mut i.attrs);
                i.expr = parse_quote!(_);
            }
            ImplItem::Fn(i) => {
                keep(&mut i.attrs);
                i.block = empty();
            }
            _ => {}
        }
    }
    (of_trait || !item.items.is_empty()).then_some(Item::Impl(item))
}

fn snapshot() -> String {
    let mut text =
        "// The public interface. Written by tests/api.rs, which says how.\n".to_string();
    for module in modules() {
        let items = module.items.iter().map(stub);
        let impls = module.impls.iter().filter_map(stub_impl);
        let items = items.chain(impls).collect();
        let file = syn::File {
            shebang: None,
            frontmatter: None,
            attrs: vec![],
            items,
        };
        let path = if module.name.is_empty() {
            "bptt".into()
        } else {
            format!("bptt::{}", module.name)
        };
        text += &format!("\n// ---- {path}\n\n{}", prettyplease::unparse(&file));
    }
    text
}

#[test]
fn the_interface_is_the_snapshot() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/bptt.rs");
    let found = snapshot();
    if env::var_os("BPTT_WRITE_API").is_some() {
        fs::write(&path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap();
    for (line, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(
            found,
            expected,
            "line {}: the interface has changed",
            line + 1
        );
    }
    assert_eq!(
        found.lines().count(),
        expected.lines().count(),
        "the interface has changed"
    );
}

/// What a snapshot has, each by itself with the module and the impl or trait that it stands in.
fn parts(snapshot: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for module in snapshot.split("\n// ---- ").skip(1) {
        let (path, source) = module.split_once('\n').unwrap();
        for item in syn::parse_file(source).unwrap().items {
            // The frame of an item with others in it, and each of these in it alone.
            let frames = match &item {
                Item::Impl(whole) => {
                    let frame = ItemImpl {
                        items: vec![],
                        ..whole.clone()
                    };
                    let of = |inner: &ImplItem| ItemImpl {
                        items: vec![inner.clone()],
                        ..frame.clone()
                    };
                    let inner = whole.items.iter().map(of);
                    inner.chain([frame.clone()]).map(Item::Impl).collect()
                }
                item => vec![item.clone()],
            };
            for item in frames {
                let file = syn::File {
                    shebang: None,
                    frontmatter: None,
                    attrs: vec![],
                    items: vec![item],
                };
                parts.insert(format!("{path}: {}", prettyplease::unparse(&file)));
            }
        }
    }
    parts
}

/// What has gone from a release, or is another thing now; adding is no change.
fn gone(released: &str, now: &str) -> Vec<String> {
    let now = parts(now);
    let released = parts(released).into_iter();
    released.filter(|part| !now.contains(part)).collect()
}

/// `tests/api/released.rs` is the snapshot of the last release, which its first line names. Until the
/// next minor version (before 1.0) nothing of it may go.
#[test]
fn nothing_of_the_last_release_has_gone() {
    let released = include_str!("api/released.rs");
    let version = released.lines().next().unwrap();
    let version = version.strip_prefix("// Version ").unwrap();
    let minor = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
    assert!(
        !minor(version).starts_with("1"),
        "from 1.0 on it is the major version"
    );
    if minor(version) == minor(env!("CARGO_PKG_VERSION")) {
        let gone = gone(released, &snapshot());
        assert!(
            gone.is_empty(),
            "gone since {version}:\n{}",
            gone.join("\n")
        );
    }
}

#[test]
fn what_has_gone_is_seen() {
    let now = include_str!("api/bptt.rs");
    let added = now.replacen("pub fn ", "pub fn more() {}\npub fn ", 1);
    assert_eq!(gone(now, &added), [""; 0]);
    assert_eq!(gone(&added, now).len(), 1);
    let changed = now.replacen("pub fn zeros() -> Self", "pub fn zeros() -> u8", 1);
    let changed = changed.replacen("pub const fn zeros() -> Self", "pub fn zeros() -> Self", 1);
    assert_ne!(changed, now);
    assert!(!gone(now, &changed).is_empty());
}

/// Whether the documentation has a fenced block that is compiled and run.
fn has_example(attributes: &[Attribute]) -> bool {
    let mut open = false;
    for line in doc(attributes).lines() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        if !open && (info.is_empty() || info == "rust") {
            return true;
        }
        open = !open;
    }
    false
}

/// The lines of `///`.
fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(meta) = &attribute.meta else {
            continue;
        };
        if let (
            true,
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }),
        ) = (meta.path.is_ident("doc"), &meta.value)
        {
            text += &line.value();
            text.push('\n');
        }
    }
    text
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| matches!(&a.meta, Meta::List(list) if list.path.is_ident("doc")))
}

/// The attributes of all public items of a module, with a name for each.
fn documented(module: &Module) -> Vec<(String, &[Attribute])> {
    let mut all: Vec<(String, &[Attribute])> = vec![];
    for item in &module.items {
        let attributes = match item {
            Item::Const(i) => &i.attrs,
            Item::Enum(i) => &i.attrs,
            Item::Fn(i) => &i.attrs,
            Item::Macro(i) if i.ident.is_none() => continue,
            Item::Macro(i) => &i.attrs,
            Item::Struct(i) => &i.attrs,
            Item::Trait(i) => &i.attrs,
            Item::Type(i) => &i.attrs,
            _ => panic!("{} is of a kind that is not known here", name(item)),
        };
        all.push((name(item), attributes));
        if let Item::Trait(i) = item {
            for inner in &i.items {
                let (inner, attributes) = match inner {
                    TraitItem::Const(i) => (&i.ident, &i.attrs),
                    TraitItem::Fn(i) => (&i.sig.ident, &i.attrs),
                    _ => continue, // an associated type has nothing to run
                };
                all.push((format!("{}::{inner}", i.ident), attributes));
            }
        }
    }
    for item in module.impls.iter().filter(|item| item.trait_.is_none()) {
        let Type::Path(of) = &*item.self_ty else {
            continue;
        };
        let of = &of.path.segments.last().unwrap().ident;
        for inner in &item.items {
            let (vis, inner, attributes) = match inner {
                ImplItem::Const(i) => (&i.vis, &i.ident, &i.attrs),
                ImplItem::Fn(i) => (&i.vis, &i.sig.ident, &i.attrs),
                _ => continue,
            };
            if matches!(vis, Visibility::Public(_)) {
                all.push((format!("{of}::{inner}"), attributes));
            }
        }
    }
    all.retain(|(_, attributes)| !is_hidden(attributes));
    all
}

#[test]
fn every_item_has_an_example() {
    let modules = modules();
    let all = modules.iter().flat_map(|module| {
        let path = |name| format!("{}::{name}", module.name);
        documented(module)
            .into_iter()
            .map(move |(name, attributes)| (path(name), attributes))
    });
    let all: Vec<_> = all.collect();
    let without: Vec<_> = all
        .iter()
        .filter(|(_, a)| !has_example(a))
        .map(|(name, _)| name)
        .collect();
    assert!(
        without.is_empty(),
        "{} of {} items: {without:#?}",
        without.len(),
        all.len()
    );
    println!("{} public items, each with an example", all.len());
    assert!(all.len() > 80, "{}: items were not found", all.len());
}
