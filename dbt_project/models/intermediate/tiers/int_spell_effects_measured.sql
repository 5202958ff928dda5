with
{{ effects_measured(ref('int_spell_products_compared')) }}

select * from summed
