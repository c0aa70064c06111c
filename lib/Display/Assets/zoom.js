(function () {
  if (window.labZoom || typeof HTMLDialogElement === 'undefined') return;
  window.labZoom = true;
  let dialog = null, image, caption, details, places = [], at = 0;

  function build() {
    dialog = document.createElement('dialog');
    dialog.className = 'lab-lightbox';
    const figure = dialog.appendChild(document.createElement('figure'));
    image = figure.appendChild(document.createElement('img'));
    const text = figure.appendChild(document.createElement('figcaption'));
    caption = text.appendChild(document.createElement('span'));
    details = text.appendChild(document.createElement('small'));
    dialog.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => places[at].firstElementChild.focus());
    dialog.addEventListener('keydown', event => {
      event.stopPropagation();
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      show((at + move + places.length) % places.length);
    });
    document.body.appendChild(dialog);
  }

  function show(index) {
    at = index;
    const small = places[index].querySelector('img');
    image.src = small.src;
    image.alt = small.alt;
    caption.textContent = small.alt;
    details.textContent = places[index].dataset.details || '';
  }

  document.addEventListener('click', event => {
    const place = event.target.closest('.lab-zoom');
    if (!place) return;
    event.preventDefault();
    places = Array.from(place.closest('.lab').querySelectorAll('.lab-zoom'));
    if (!dialog) build();
    show(places.indexOf(place));
    dialog.showModal();
  });
})();
