(function () {
  if (window.labZoom || typeof HTMLDialogElement === 'undefined') return;
  window.labZoom = true;
  let dialog = null, image, caption, details, buttons = [], at = 0;

  function build() {
    dialog = document.createElement('dialog');
    dialog.className = 'lab-lightbox';
    const figure = dialog.appendChild(document.createElement('figure'));
    image = figure.appendChild(document.createElement('img'));
    const text = figure.appendChild(document.createElement('figcaption'));
    caption = text.appendChild(document.createElement('span'));
    details = text.appendChild(document.createElement('small'));
    dialog.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => buttons[at].focus());
    dialog.addEventListener('keydown', event => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      show((at + move + buttons.length) % buttons.length);
    });
    document.body.appendChild(dialog);
  }

  function show(index) {
    at = index;
    const small = buttons[index].querySelector('img');
    image.src = small.src;
    image.alt = small.alt;
    caption.textContent = buttons[index].dataset.caption;
    details.textContent = buttons[index].dataset.details || '';
  }

  document.addEventListener('click', event => {
    const button = event.target.closest('.lab-zoom');
    if (!button) return;
    buttons = Array.from(button.closest('.lab').querySelectorAll('.lab-zoom'));
    if (!dialog) build();
    show(buttons.indexOf(button));
    dialog.showModal();
  });
})();
