//! What the attribute writes: a unit type with the function's name that derefs to it, and its entry in the list.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, FnArg, ItemFn, Result, ReturnType, Signature, Type, Visibility};

pub(crate) fn expand(attribute: TokenStream, function: TokenStream) -> Result<TokenStream> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(attribute, "#[anyplace::task] takes no arguments"));
    }
    let mut function: ItemFn = syn::parse2(function)?;
    check(&function.sig)?;
    // The type takes the function's name. The function gets one that its own body cannot mean by accident.
    let body = format_ident!("__task_{}", function.sig.ident);
    let name = &std::mem::replace(&mut function.sig.ident, body.clone());
    let vis = std::mem::replace(&mut function.vis, Visibility::Inherited);
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let arguments = argument_types(&function.sig);
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, output) => quote!(#output),
    };
    let places: Vec<_> = (0..arguments.len()).map(syn::Index::from).collect();
    let (input, call) = match arguments.as_slice() {
        [one] => (quote!(#one), quote!(#body(input))),
        many => (quote!((#(#many,)*)), quote!(#body(#(input.#places),*))),
    };
    Ok(quote! {
        #(#docs)*
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug)]
        #vis struct #name;

        const _: () = {
            #function

            impl ::anyplace::NamedTask for #name {
                const NAME: &'static str = concat!(module_path!(), "::", stringify!(#name));
                type Input = #input;
                type Output = #output;

                #[allow(unused_variables)]
                fn run(input: #input) -> #output {
                    #call
                }
            }

            impl ::std::ops::Deref for #name {
                type Target = fn(#(#arguments),*) -> #output;

                fn deref(&self) -> &Self::Target {
                    static FUNCTION: fn(#(#arguments),*) -> #output = #body;
                    &FUNCTION
                }
            }

            ::anyplace::inventory::submit! { ::anyplace::Registered::of::<#name>() }
        };
    })
}

fn check(signature: &Signature) -> Result<()> {
    let refuse = |tokens: &dyn quote::ToTokens, why: &str| Err(Error::new_spanned(tokens, why));
    if let Some(keyword) = &signature.asyncness {
        return refuse(keyword, "a task is a plain function; run futures with `Place::spawn`");
    }
    if let Some(keyword) = &signature.unsafety {
        return refuse(
            keyword,
            "a place cannot keep the promises of an unsafe function; wrap it in a safe one",
        );
    }
    if !signature.generics.params.is_empty() {
        return refuse(&signature.generics, "a task has one name, so it cannot be generic");
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                return refuse(receiver, "a task is a free function, without `self`");
            }
            FnArg::Typed(typed) if matches!(*typed.ty, Type::Reference(_)) => {
                return refuse(&typed.ty, "a task owns its arguments: they may come from another process");
            }
            FnArg::Typed(_) => {}
        }
    }
    Ok(())
}

fn argument_types(signature: &Signature) -> Vec<&Type> {
    signature.inputs.iter().filter_map(argument_type).collect()
}

fn argument_type(argument: &FnArg) -> Option<&Type> {
    match argument {
        FnArg::Typed(typed) => Some(&typed.ty),
        FnArg::Receiver(_) => None,
    }
}
