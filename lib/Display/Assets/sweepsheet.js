(function (sweep) {
  const { data, make, link, picture, action, dialog, download, fileName } = sweep;

  // A page on a disk may not read its pictures' pixels; the thumbnails stand in a script, which it may.
  function source(at) {
    const own = location.protocol !== 'file:';
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Error(`${picture(at).path} could not be read.`));
      image.src = own ? link(picture(at).path) : `data:image/jpeg;base64,${window.labSheet[picture(at).thumbnail]}`;
    });
  }

  function loadSheet() {
    if (window.labSheet || location.protocol !== 'file:') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onerror = () => reject(new Error('thumbnails/sheet.js is missing.'));
      const script = make('script', { src: 'thumbnails/sheet.js', onload: resolve, onerror });
      document.head.append(script);
    });
  }

  function lines(context, text, width, most) {
    const found = [''];
    for (const word of text.split(' ')) {
      const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
      if (context.measureText(longer).width <= width || !found.at(-1)) found[found.length - 1] = longer;
      else if (found.length < most) found.push(word);
      else { found[most - 1] += ' …'; break; }
    }
    return found;
  }

  async function draw(canvas, places, columns, captions) {
    await loadSheet();
    const images = await Promise.all(places.map(source));
    const [gap, font, head, rows] = [16, 15, 56, Math.ceil(places.length / columns)];
    const natural = Math.max(...images.map(image => image.naturalWidth));
    const cell = Math.max(48, Math.min(Math.max(natural, 200), Math.floor(8000 / columns) - gap, Math.floor(12000 / rows) - gap));
    const shape = Math.max(...images.map(image => image.naturalHeight / image.naturalWidth));
    const context = canvas.getContext('2d');
    const text = captions ? 4 * 1.35 * font + 6 : 0;
    canvas.width = columns * (cell + gap) + gap;
    canvas.height = head + rows * (Math.ceil(cell * shape) + text + gap) + gap;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#1f1d1a';
    context.font = '600 20px system-ui, sans-serif';
    context.fillText(lines(context, data.title, canvas.width - 2 * gap, 1)[0], gap, 36);
    context.font = `${font}px system-ui, sans-serif`;
    images.forEach((image, i) => {
      const x = gap + (i % columns) * (cell + gap);
      const y = head + Math.floor(i / columns) * (Math.ceil(cell * shape) + text + gap);
      const height = cell * image.naturalHeight / image.naturalWidth;
      context.drawImage(image, x, y, cell, height);
      lines(context, captions ? sweep.label(places[i], []) : '', cell, 4).forEach((line, row) =>
        context.fillText(line, x, y + height + (row + 1) * 1.35 * font, cell));
    });
  }

  sweep.sheet = function (places) {
    const canvas = make('canvas', { role: 'img', 'aria-label': `Contact sheet of ${places.length} pictures` });
    const told = make('p', { className: 'lab-note', 'aria-live': 'polite' });
    const usual = Math.min(8, Math.max(1, Math.ceil(Math.sqrt(places.length))));
    const columns = make('input', { type: 'number', name: 'across', min: 1, max: 20, value: usual });
    const captions = make('input', { type: 'checkbox', name: 'captions', checked: true });
    const save = action('save', 'Save as PNG', () => canvas.toBlob(blob => {
      if (blob) download(fileName('-sheet.png'), blob);
      else told.textContent = 'The browser cannot make a picture of this size; select fewer.';
    }));
    const again = () => {
      save.disabled = true;
      const across = Math.min(20, Math.max(1, Math.round(Number(columns.value)) || 1));
      draw(canvas, places, across, captions.checked).then(() => {
        save.disabled = false;
        told.textContent = `${canvas.width} × ${canvas.height} pixels${location.protocol === 'file:'
          ? ', of the thumbnails. From a server, such as python3 -m http.server, it has the pictures themselves' : ''}.`;
      }, error => { told.textContent = error.message; });
    };
    columns.addEventListener('change', again);
    captions.addEventListener('change', again);
    const element = dialog(
      make('div', { className: 'sweep-head' }, make('strong', { textContent: `Contact sheet of ${places.length}` }),
        make('label', { className: 'sweep-field' }, make('span', { textContent: 'Columns' }), columns),
        make('label', {}, captions, ' Captions'),
        make('span', { className: 'sweep-space' }), save, action('close', 'Close', () => element.close())),
      make('div', { className: 'sweep-paper' }, canvas), told);
    if (places.length > 0) again();
    else told.textContent = 'There is no picture to show.';
    save.disabled = true;
  };

  sweep.start();
})(window.labSweep);
