SELECT visibility FROM rushes_legacy.choices
